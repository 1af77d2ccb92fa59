// The texts of the page `docs`, language es.
export default {
};
