// What one message may carry: the hub's limits of attachments.

export const MAX_FILES = 4;

/** The base64 characters of all files of a message together. */
export const MAX_BASE64 = 524_288;

/** Raw bytes that fit, whatever the number of files: the base64 of each ends with up to three bytes of padding. */
export const MAX_BYTES = MAX_BASE64 / 4 * 3 - MAX_FILES * 3;
