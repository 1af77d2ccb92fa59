// The texts of the page `landing`, language es.
export default {
};
