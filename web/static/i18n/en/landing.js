// The texts of the page `landing`, language en.
export default {
};
