// The texts of the page `account`, language en.
export default {
};
