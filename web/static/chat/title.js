// The count of unread messages in the title, on the icon of the tab and of the app.

let base = "";
let shown = -1;

/** @param {string} title without a count */
export function setTitle(title) {
  base = title;
  const now = shown;
  shown = -1;
  showCount(Math.max(0, now));
}

/** @param {number} count unread messages */
export function showCount(count) {
  if (count === shown) return;
  const dot = count > 0 !== shown > 0;
  shown = count;
  document.title = count ? `(${count > 99 ? "99+" : count}) ${base}` : base;
  const badge = /** @type {any} */ (navigator);
  if (count) badge.setAppBadge?.(count).catch(() => undefined);
  else badge.clearAppBadge?.().catch(() => undefined);
  if (dot) void drawFavicon(count > 0).catch(() => undefined);
}

/** @type {HTMLImageElement | null} */
let picture = null;
let original = "";

/** @param {boolean} dot */
async function drawFavicon(dot) {
  const link = document.querySelector("link[rel~=icon]");
  if (!(link instanceof HTMLLinkElement)) return;
  original ||= link.href;
  if (!dot) return void (link.href = original);
  if (!picture) {
    picture = new Image();
    picture.src = original;
  }
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const pen = canvas.getContext("2d");
  if (!pen || shown <= 0) return;
  pen.drawImage(picture, 0, 0, 64, 64);
  pen.fillStyle = "#e5484d";
  pen.beginPath();
  pen.arc(48, 16, 15, 0, 2 * Math.PI);
  pen.fill();
  link.href = canvas.toDataURL("image/png");
}
