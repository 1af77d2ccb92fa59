// The texts of the page `admin`, language en.
export default {
};
