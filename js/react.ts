"use client";
// `slate-yrs/react`: hooks and components for a document and the people in it. Importing it on a server is harmless.
export { PresenceAvatars, type PresenceAvatarsProps } from "./react/avatars.js";
export { colorOf, initialsOf, nameOf, type PersonColor } from "./react/colors.js";
export { RemoteCursors, type RemoteCursorsProps } from "./react/cursors.js";
export { type CursorDecoration, useDecorateCursors } from "./react/decorate.js";
export {
  type CommentDecoration,
  CommentHighlights,
  type CommentHighlightsProps,
  useDecorateComments,
} from "./react/highlights.js";
export {
  type BoundEditor,
  type UseCollab,
  useBoundEditor,
  useBroadcast,
  useCollab,
  useCollabEditor,
  usePeers,
  useReadOnly,
  useStatus,
} from "./react/hooks.js";
export type { Box, RemoteCursor } from "./react/layout.js";
export { type RemotePerson, type RemoteSelection, useRemoteSelections } from "./react/people.js";
export { type PresentPerson, usePeople } from "./react/people-here.js";
export { useSharedMap } from "./react/shared.js";
export {
  StatusBadge,
  type StatusBadgeProps,
  type StatusKind,
  type StatusText,
  statusText,
} from "./react/status.js";
export {
  CommentForm,
  type CommentFormProps,
  ThreadCard,
  type ThreadCardProps,
  ThreadList,
  type ThreadListProps,
  useThreads,
} from "./react/threads.js";
