// Checks that the scripts of the SDK are what their published types say. Not served.

declare namespace SdkCheck {
  type Real = typeof import("../static/sdk/channels.js");
  type Published = typeof import("../static/sdk/types/channels.js");
  /** Fails where a published class or function is missing or differs. */
  interface Conforms<Scripts extends Published = Real> {
    scripts: Scripts;
  }
}
