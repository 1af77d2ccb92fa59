// The texts of the page `admin`, language es.
export default {
};
