// The types of events that a webhook may ask for, in groups. A test compares them with the server's.

/** @typedef {"messages" | "service" | "comments" | "subscribers" | "channel" | "inbox" | "groups" | "conversations" | "folders" | "moderation" | "server"} EventGroup */

/**
 * Of a channel's webhook.
 * @type {[group: EventGroup, types: string[]][]}
 */
const OF_CHANNEL = [
  [
    "messages",
    [
      "message.posted",
      "message.edited",
      "message.recalled",
      "reactions.changed",
      "poll.changed",
      "buttons.changed",
      "acknowledgements.changed",
      "acknowledgement.reminder",
    ],
  ],
  ["service", ["button.pressed", "menu.selected", "form.answered"]],
  ["comments", ["comment.posted", "comment.edited", "comment.recalled", "comment.reacted"]],
  [
    "subscribers",
    [
      "channel.subscribed",
      "channel.unsubscribed",
      "channel.invited",
      "channel.invitation_ended",
      "join.requested",
      "join.answered",
      "join.refused",
      "invite_link.used",
      "member.changed",
    ],
  ],
  ["channel", ["channel.updated", "channel.suspended", "channel.reinstated", "channel.deleted"]],
  ["inbox", ["inbox.read", "inbox.tagged", "broadcast.started", "broadcast.changed", "broadcast.ended"]],
];

/**
 * Besides, of a webhook of the application.
 * @type {[group: EventGroup, types: string[]][]}
 */
const OF_APPLICATION = [
  [
    "groups",
    ["group.joined", "group.left", "group.invited", "group.invitation_ended", "group.updated", "group.disbanded"],
  ],
  ["conversations", ["conversation.read", "conversation.updated", "conversation.ended", "block.changed"]],
  [
    "folders",
    [
      "conversation_group.created",
      "conversation_group.renamed",
      "conversation_group.deleted",
      "conversation_group.changed",
    ],
  ],
  ["moderation", ["user.restricted", "user.unrestricted", "user.deleted", "report.opened"]],
  ["server", ["webhook.disabled"]],
];

/**
 * The types that a channel's webhook, or one of the application, may receive.
 * @param {boolean} isOfChannel
 */
export const eventTypes = (isOfChannel) => (isOfChannel ? OF_CHANNEL : [...OF_CHANNEL, ...OF_APPLICATION]);
