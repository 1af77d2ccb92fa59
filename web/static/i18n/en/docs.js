// The texts of the page `docs`, language en.
export default {
};
