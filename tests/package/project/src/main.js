import { open } from "slate-yrs";

const collab = await open({ id: "vite", offline: false });
document.body.textContent = collab.status.connection;
