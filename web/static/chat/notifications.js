// Notifications that this device shows for a channel: they are closed when their messages have been read.

/** @param {string} channel */
export async function closeNotifications(channel) {
  const registration = await navigator.serviceWorker?.getRegistration("/");
  if (!registration?.getNotifications) return;
  for (const notification of await registration.getNotifications()) {
    if (notification.data?.channel === channel) notification.close();
  }
}
