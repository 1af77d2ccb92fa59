// The public bands, which every hub has.

export const BANDS = ["general", "help", "random"];
