// Texts about notifications on this device. See `../../texts.js` for the format.

export default {
  "device.notifications": "Notifications on this device",
  "device.notifications.isOn": "This device is notified of new messages.",
  "device.notifications.isOff": "This device is no longer notified.",
  "device.notifications.denied":
    "Your browser does not allow notifications of this page. Allow them in its settings, and try again.",
  "device.notifications.failed": "Your browser could not subscribe to notifications. Try again later.",
};
