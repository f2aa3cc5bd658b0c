import { createEditor } from "slate";
import { withReact } from "slate-react";
import { open } from "slate-yrs";
import { withCollab } from "slate-yrs/slate";
import { mark, room, server, show } from "./page.tsx";

const collab = await open({ id: room, url: server, presence: { name: "Me" } });
mark("opened");
// There is nothing on the device at a first visit.
if (collab.value().length < 2) await collab.whenSynced();
mark("synced");
show(withCollab(withReact(createEditor()), collab));
