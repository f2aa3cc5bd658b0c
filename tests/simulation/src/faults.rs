//! What goes wrong.

use slate_yrs::protocol::{Role, close};
use slate_yrs::session::{Conflict, Connection, DeviceStorage, Input, Session};
use slate_yrs::store::StoreError;

use crate::checks::TOO_LARGE;
use crate::database::Fault;
use crate::plan::Acts;
use crate::tabs::Token;
use crate::world::{Backend, Event, World, other_role};

impl World {
    pub fn fault(&mut self) {
        let tab = self.rng.usize(..self.tabs.len());
        match self.rng.u8(..8) {
            0 | 1 => self.network_fault(tab),
            2 => self.server_fault(tab),
            3 | 4 => self.tab_fault(tab),
            5 | 6 => self.device_fault(tab),
            _ => self.time_fault(tab),
        }
    }

    fn network_fault(&mut self, tab: usize) {
        match self.rng.u8(..8) {
            0..=2 => {
                self.injected("connection cut");
                self.cut(tab);
            }
            3 => {
                self.injected("half-open connection");
                self.half_open(tab);
            }
            4 | 5 => {
                self.network_up = !self.network_up;
                let online = self.network_up;
                self.note(|| format!("network up: {online}"));
                if !online {
                    self.injected("network away");
                    (0..self.tabs.len()).for_each(|tab| self.cut(tab));
                }
                if self.rng.bool() {
                    (0..self.tabs.len()).for_each(|tab| self.feed(tab, Input::NetworkHint { online }));
                }
            }
            6 => self.closed_by_server(tab, TOO_LARGE, close::TOO_LARGE),
            _ => {
                let code = if self.rng.bool() { close::INTERNAL } else { close::SLOW };
                self.closed_by_server(tab, "closed: internal, slow", code);
            }
        }
    }

    fn closed_by_server(&mut self, tab: usize, kind: &'static str, code: u16) {
        let Some(conn) = self.tabs[tab].conn else { return };
        self.injected(kind);
        if let Some(found) = self.conns.get_mut(&conn) {
            found.carries_down = false;
            found.carries_up = false;
        }
        self.at(1, Event::ClientSeesClose(conn, code, ""));
        self.at(2, Event::ServerSeesClose(conn));
    }

    fn server_fault(&mut self, tab: usize) {
        let kind = self.rng.u8(..8);
        let Backend::Real(server) = &self.backend else {
            self.injected("server killed");
            let away = self.rng.u64(10..20_000);
            return self.kill_server(away);
        };
        let fault = match kind {
            0..=2 => {
                self.injected("server killed");
                self.note(|| "the server is killed".into());
                let away = if self.rng.bool() { self.rng.u64(10..500) } else { self.rng.u64(10..20_000) };
                return self.kill_server(away);
            }
            3 => return self.replace_document(),
            4 => Fault::Full,
            5 => Fault::Once,
            6 => Fault::AnswerLost,
            _ => Fault::Away,
        };
        server.database.set_fault(Some(fault));
        let kind = match fault {
            Fault::Full => "server's disk full",
            Fault::Once => "commit failed",
            Fault::AnswerLost => "commit's answer lost",
            Fault::Away => "database away",
        };
        self.injected(kind);
        self.note(|| format!("database: {fault:?}"));
        // Somebody makes room.
        if self.rng.bool() {
            self.act(tab);
            let ms = self.rng.u64(..5_000);
            self.run_for(ms);
            if let Backend::Real(server) = &self.backend {
                server.database.set_fault(None);
            }
        }
    }

    /// The document is deleted, and made again by whoever opens it: another epoch.
    fn replace_document(&mut self) {
        // Not in every seed: it ends what the others are about.
        if !self.plan.seed.is_multiple_of(3) {
            return;
        }
        let Backend::Real(server) = &self.backend else { return };
        server.database.delete(&self.server_state());
        self.truth.replaced = true;
        self.injected("document replaced");
        self.note(|| "the document is deleted on the server".into());
        if self.rng.bool() {
            let away = self.rng.u64(10..5_000);
            self.kill_server(away);
        }
    }

    fn tab_fault(&mut self, tab: usize) {
        match self.rng.u8(..12) {
            0..=3 => {
                self.injected("tab killed");
                self.crash(tab);
                if self.rng.bool() {
                    let ms = self.rng.u64(..2_000);
                    self.run_for(ms);
                }
                self.open(tab);
            }
            // Stays away, while the others go on.
            4 => {
                self.injected("tab killed for good");
                self.crash(tab);
            }
            5 => {
                self.injected("closed");
                self.feed(tab, Input::Close);
            }
            6 | 7 => {
                if self.tabs[tab].session.is_none() {
                    self.open(tab);
                }
            }
            8 => {
                self.note(|| format!("t{tab} goes offline"));
                self.injected("offline by choice");
                self.feed(tab, Input::Disconnect);
            }
            9 => self.feed(tab, Input::Connect),
            10 => self.resolve(tab),
            _ => self.delete_local(tab),
        }
    }

    fn resolve(&mut self, tab: usize) {
        if self.tabs[tab].session.as_ref().is_some_and(|session| session.status().epoch_conflict) {
            self.injected("server's document taken");
            self.feed(tab, Input::Resolve(Conflict::TakeServer));
        }
    }

    /// Only where nobody else uses the copy: what another tab counts on would be gone.
    fn delete_local(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        let alone = self.tabs.iter().filter(|it| it.device == device).count() == 1;
        if !alone || !self.tabs[tab].ready || self.rng.bool() {
            return;
        }
        let discard_pending = self.rng.bool();
        self.injected("local copy deleted");
        self.note(|| format!("t{tab} deletes the local copy, pending too: {discard_pending}"));
        self.tabs[tab].deleted_local = true;
        self.feed(tab, Input::DeleteLocal { discard_pending });
    }

    fn device_fault(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        match self.rng.u8(..10) {
            0..=2 => {
                let (kind, fault) = match self.rng.u8(..5) {
                    0 => ("device full", StoreError::Full),
                    1 => ("device's store closed", StoreError::Closed("gone".into())),
                    2 => ("device's store blocked", StoreError::Blocked("another tab".into())),
                    3 => ("device's store corrupt", StoreError::Corrupt("bad".into())),
                    _ => ("device's store fails", StoreError::Failed("odd".into())),
                };
                self.injected(kind);
                self.note(|| format!("d{device}: {fault:?}"));
                self.devices[device].store.set_fault(Some(fault));
            }
            3 | 4 => {
                for device in &self.devices {
                    device.store.set_fault(None);
                }
                self.note(|| "the devices work".into());
            }
            // One of several that are on their way, perhaps.
            5..=7 => {
                self.injected("one write failed");
                self.tabs[tab].fail_next = Some(StoreError::Failed("once".into()));
                self.act(tab);
            }
            8 => self.damage(device),
            _ => self.clear(device),
        }
    }

    /// A record of the log does not read any more.
    fn damage(&mut self, device: usize) {
        let log = self.devices[device].peek().log;
        if log.is_empty() {
            return;
        }
        let row = log[self.rng.usize(..log.len())].0;
        self.injected("record damaged");
        self.note(|| format!("d{device}: row {row} is damaged"));
        self.devices[device].damaged.insert(row);
        self.devices[device].damaged_since = true;
    }

    /// The user clears the site's data, under every tab.
    fn clear(&mut self, device: usize) {
        if self.rng.bool() {
            return;
        }
        self.injected("database deleted under the tabs");
        self.note(|| format!("d{device} is cleared"));
        self.devices[device].store.clear();
        self.devices[device].damaged.clear();
        self.truth.journaled.retain(|(on, _)| *on != device);
        for tab in self.tabs.iter_mut().filter(|tab| tab.device == device) {
            // Its connection to the database is closed; it says so when it is used.
            tab.fail_next = Some(StoreError::Closed("the data was cleared".into()));
        }
    }

    fn time_fault(&mut self, tab: usize) {
        match self.rng.u8(..6) {
            0 | 1 => {
                let (kind, token, code) = match self.rng.u8(..4) {
                    0 => ("token refused for good", Token::Refused, close::UNAUTHORIZED),
                    1 => ("forbidden", Token::Forbidden, close::FORBIDDEN),
                    _ => ("token expired", Token::Expired, close::UNAUTHORIZED),
                };
                self.tabs[tab].token = token;
                self.closed_by_server(tab, kind, code);
            }
            2 => self.tabs[tab].token = Token::Good,
            3 | 4 if !self.plan.plain && self.plan.acts != Acts::Typing => {
                self.injected("role changed");
                let role = other_role(self.tabs[tab].role);
                self.note(|| format!("t{tab} is {role:?}"));
                self.tabs[tab].role = role;
                // The server tells by ending the connection.
                self.closed_by_server(tab, "closed: role", close::GOING_AWAY);
            }
            _ => {
                let long = self.rng.u64(60_000..200_000_000);
                self.injected("days offline");
                self.note(|| format!("{long} ms pass"));
                // Days in which nobody does anything but what is due.
                self.run_for(60_000);
                self.now += long;
            }
        }
    }

    /// Everything works again; waits until nothing is left to do, then looks at all of it.
    pub fn come_to_rest(&mut self, luck: u64) {
        self.set_luck(luck);
        self.note(|| "all is well again".into());
        self.network_up = true;
        self.loses = false;
        if let Backend::Real(server) = &self.backend {
            server.database.set_fault(None);
        }
        for device in &self.devices {
            device.store.set_fault(None);
        }
        for tab in 0..self.tabs.len() {
            let it = &mut self.tabs[tab];
            it.token = Token::Good;
            it.role = Role::ReadWrite;
            if it.session.is_none() {
                self.open(tab);
            } else {
                // Who connects says its role, and sends on what it has heard of a tab that died with a broken store.
                self.closed_by_server(tab, "closed: all is well", close::GOING_AWAY);
            }
        }
        for round in 0..60 {
            for tab in 0..self.tabs.len() {
                self.encourage(tab);
            }
            self.run_for(15_000);
            if self.is_settled() {
                break;
            }
            // What a dead tab has left and nobody took over: whoever opens the document does.
            if round % 5 == 4 {
                self.reopen_where_left();
            }
        }
        self.run_for(30_000);
        self.check_quiet();
    }

    fn encourage(&mut self, tab: usize) {
        let Some(session) = &self.tabs[tab].session else { return self.open(tab) };
        let status = session.status();
        if status.epoch_conflict {
            self.feed(tab, Input::Resolve(Conflict::TakeServer));
        } else if status.connection != Connection::Online {
            self.feed(tab, Input::Connect);
        }
    }

    fn reopen_where_left(&mut self) {
        for tab in 0..self.tabs.len() {
            let it = &self.tabs[tab];
            let status = it.session.as_ref().map(Session::status);
            // Its device has a copy of another epoch: it is asked about when it is opened.
            if !it.deleted_local && status.is_some_and(|status| status.storage == DeviceStorage::Memory) {
                self.feed(tab, Input::Close);
            }
        }
        for device in 0..self.devices.len() {
            // Who was told to delete the copy, and could not, touches it no more: whoever comes next sends what it has.
            let named = self.tabs.iter().filter(|tab| !tab.deleted_local).map(|tab| tab.name.as_str());
            let named: Vec<&str> = named.collect();
            let outbox = self.devices[device].peek().outbox;
            if outbox.iter().all(|pending| named.contains(&pending.key.session.as_str())) {
                continue;
            }
            let Some(tab) = self.tabs.iter().position(|tab| tab.device == device) else { continue };
            self.note(|| format!("d{device} still has what nobody sends"));
            self.feed(tab, Input::Close);
        }
    }
}
