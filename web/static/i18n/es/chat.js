// The texts of the page `chat`, language es.
export default {
};
