// The texts of the page `chat`, language en.
export default {
};
