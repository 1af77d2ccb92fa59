// The texts of the page `account`, language es.
export default {
};
