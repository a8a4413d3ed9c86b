// The content of a post or message: text, pictures, files, links. Readers and the composer's preview use the same code.

import { t } from "../texts.js";
import { localPicture } from "./avatar.js";
import { h } from "./dom.js";
import { duration, size } from "./format.js";
import { icon } from "./icons.js";
import { linkTo, textElement, webAddress } from "./markup.js";
import { showPictures } from "./pictures/viewer.js";

export { webAddress };

/**
 * The elements of the content. Its id, where it has one, is what a long text that was shown whole is known by.
 * @param {App.Content & { message_id?: string | null; post_id?: string | null }} item
 */
export function contentElements(item) {
  return [
    item.images?.length ? pictures(item.images) : null,
    item.video ? video(item.video) : null,
    item.audio ? audio(item.audio) : null,
    item.title ? h("h2.title", { dir: "auto" }, item.title) : null,
    item.text ? textElement(item.text, item.message_id ?? item.post_id ?? null) : null,
    item.file ? file(item.file) : null,
    item.location ? location(item.location) : null,
    item.links?.length ? links(item.links) : null,
    item.form_answer ? formAnswer(item.form_answer) : null,
    item.kind === "custom" ? h("p.custom", {}, icon("file"), t("post.custom")) : null,
  ].filter(Boolean);
}

/** @param {Api.MediaResponse[]} images */
function pictures(images) {
  const grid = h("div.pictures", { data: { count: String(Math.min(images.length, 4)) } });
  images.forEach((image, index) => {
    const label = t("post.image", { n: index + 1, of: images.length });
    const hidden = index >= 4;
    const more =
      index === 3 && images.length > 4 ? h("span.more", { "aria-hidden": "true" }, `+${images.length - 4}`) : null;
    const source = localPicture(image.url, images.length === 1 ? "large" : "thumb");
    // With width and height known, nothing moves when the picture is loaded.
    const shown = h("img", {
      src: source,
      alt: image.name || label,
      width: image.width,
      height: image.height,
      loading: "lazy",
      decoding: "async",
    });
    // A small picture keeps its size; a large one takes the whole width.
    if (images.length === 1 && image.width) shown.style.setProperty("max-inline-size", `${image.width}px`);
    grid.append(
      h(
        "button.picture",
        { type: "button", hidden, "aria-label": label, on: { click: () => showPictures(images, index) } },
        shown,
        more,
      ),
    );
  });
  return grid;
}

/** @param {Api.MediaResponse} media */
function video(media) {
  // Clients that knew no sounds sent them as videos.
  if (media.content_type.startsWith("audio/")) return audio(media);
  const { width, height, duration_seconds: lasts } = media;
  const poster = localPicture(media.poster_url, "large");
  // With its size known, nothing moves when it is loaded. A film whose file does not say it gets a frame of a common shape.
  const isSized = width !== null && height !== null;
  const length = poster && lasts !== null ? h("span.film-length", { "aria-hidden": "true" }, duration(lasts)) : null;
  const player = h(isSized ? "video.media" : "video.media.unsized", {
    src: media.url,
    controls: true,
    // Without a poster, the first picture is better than a black frame.
    preload: poster ? "none" : "metadata",
    poster,
    width,
    height,
    playsinline: true,
    "aria-label": media.name || t("kind.video"),
    on: { play: () => length?.remove() },
  });
  return h("div.film", {}, player, length);
}

/** @param {Api.MediaResponse} media */
function audio(media) {
  const lasts = media.duration_seconds;
  // A voice message recorded in a page may have neither a name nor a duration. The player then finds out by itself.
  return h(
    "figure.sound",
    {},
    h("audio.media", {
      src: media.url,
      controls: true,
      preload: lasts === null ? "metadata" : "none",
      "aria-label": media.name || t("kind.audio"),
    }),
    media.name || lasts !== null
      ? h(
          "figcaption.soft",
          {},
          media.name ? h("span.file-name", { dir: "auto" }, media.name) : null,
          lasts === null ? null : h("span", {}, duration(lasts)),
        )
      : null,
  );
}

/** @param {Api.MediaResponse} media */
function file(media) {
  return h(
    "a.file",
    { href: media.url, download: media.name || true },
    icon("file"),
    h("span.file-name", { dir: "auto" }, media.name || media.content_type),
    h("span.soft", {}, size(media.size_bytes)),
  );
}

/** @param {Api.LocationResponse} place */
function location(place) {
  const map = `https://www.openstreetmap.org/?mlat=${place.latitude}&mlon=${place.longitude}#map=16/${place.latitude}/${place.longitude}`;
  return h(
    "div.location",
    {},
    icon("place"),
    h(
      "div",
      {},
      place.name ? h("strong", { dir: "auto" }, place.name) : null,
      place.address ? h("span.soft", { dir: "auto" }, place.address) : null,
      linkTo(map, t("post.place")),
    ),
  );
}

/** The title of the form, and each label with what was written. @param {NonNullable<App.Content["form_answer"]>} given */
function formAnswer({ title, answers }) {
  return h(
    "div.form-answer",
    {},
    h("strong", { dir: "auto" }, title),
    h(
      "dl",
      {},
      answers.map(({ label, value }) => [h("dt.soft", { dir: "auto" }, label), h("dd", { dir: "auto" }, value)]),
    ),
  );
}

/** @param {Api.LinkResponse[]} list */
function links(list) {
  return h(
    "ul.links",
    {},
    list.map((link) => {
      const card = linkCard(link);
      if (card) card.dataset.counted = link.url;
      return card && h("li", {}, card);
    }),
  );
}

/**
 * A link with the preview that its author sent along; null where it leads nowhere.
 * @param {Api.LinkResponse} link
 */
export function linkCard({ title, url, description, image }) {
  const address = webAddress(url);
  if (address === null) return null;
  const { host } = new URL(address);
  const shownHost = host === window.location.host ? null : h("span.soft.link-host", { dir: "ltr" }, host);
  const about = h(
    "span.link-text",
    {},
    h("span.link-title", { dir: "auto" }, title),
    description ? h("span.soft.link-description", { dir: "auto" }, description) : null,
  );
  if (image === null) return linkTo(address, icon("link"), about, shownHost);
  // Beside a picture there is little room.
  if (shownHost) about.append(shownHost);
  const source = localPicture(image.url, "thumb");
  const picture = h("img.link-picture", { src: source, alt: "", loading: "lazy", decoding: "async" });
  const element = linkTo(address, picture, about);
  element.classList.add("with-picture");
  return element;
}
