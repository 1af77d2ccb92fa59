// Saves a text as a file.

/**
 * @param {string} name file name with extension
 * @param {string} text
 * @param {string} [type] media type
 */
export function saveText(name, text, type = "text/plain;charset=utf-8") {
  saveBlob(name, new Blob([text], { type }));
}

/**
 * @param {string} name file name with extension
 * @param {Blob} blob
 */
export function saveBlob(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  // Browsers read the blob after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
