// Shows characters that cannot be seen, so that a name or text cannot pass for another one.

// Emoji and words of joining scripts keep their joiners; every other invisible character is shown as its code.
const emoji = String.raw`\p{Extended_Pictographic}\p{Emoji_Modifier}?[\uFE0E\uFE0F]?`;
const flag = String.raw`\u{1F3F4}\u{E0067}\u{E0062}(?:\u{E0065}\u{E006E}\u{E0067}|\u{E0073}\u{E0063}\u{E0074}|\u{E0077}\u{E006C}\u{E0073})\u{E007F}`;
const joiner = String.raw`(?<=[\u0600-\u0DFF])[\u200C\u200D](?=[\u0600-\u0DFF])`;
const invisible = String.raw`[\p{Default_Ignorable_Code_Point}\u2028\u2029\uFFF9-\uFFFB]|(?![\n\t])\p{Cc}`;
const hidden = new RegExp(`(${flag}|${emoji}(?:\\u200D${emoji})*|[0-9#*]\\uFE0F\\u20E3|${joiner})|${invisible}`, "gu");

/**
 * The text with each invisible character replaced by its code, such as `\u{202e}`.
 *
 * @param {string} text
 */
export const visible = (text) =>
  text.replace(hidden, (found, kept) => kept ?? `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
