// What a worker tells the supervisor, over its status socket: one JSON object per line.
#pragma once

#include <string_view>

#include "control/worker_settings.h"
#include "pyhost/base/file_identity.h"

namespace pyhost::control {

// {"step": "..."} while it starts.
void report_step(std::string_view step);
// {"ready": true}.
void report_ready();
// {"failed": "sentence"}: it cannot start and is about to end with code 1.
void report_failure(std::string_view sentence);
// {"relieve": "reason"}: it wants a successor and serves until it is told to end.
void report_relief_wanted(std::string_view reason);
// {"draining": "reason"}: it takes no more requests and is about to end.
void report_draining(std::string_view reason);

// {"alive": true}: the answer to control::WorkerOrder::Kind::show_life.
void report_alive();
// {"outdated": "script", "file": [...]}: that has changed, and is this file now; the worker serves
// nobody until it is put back.
void report_outdated(std::string_view script, const base::FileIdentity& file);
// {"imported": [...]}: a script that a successor is to import as well.
void report_import(const control::Preload& import);
// {"lacks": [...], "why": "sentence"}: a script that could not be imported.
void report_lack(const control::Preload& script, std::string_view why);
// {"import_again": [...]}: one of those is still wanted.
void report_import_wanted(const control::Preload& script);
// {"asks": true}: it could serve but for these, and waits for an order to do so or to leave.
void report_question();
// {"keeping": true}: it serves what it was ordered to keep, and nothing else.
void report_keeping();

}  // namespace pyhost::control
