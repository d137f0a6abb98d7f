// What a worker tells the supervisor, over its status socket: one JSON object per line.
#pragma once

#include <string_view>

#include "pyhost/base/file_identity.h"
#include "pyhost/gateway/worker_settings.h"

namespace pyhost::worker {

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

// {"alive": true}: the answer to gateway::ask_for_sign_of_life().
void report_alive();
// {"outdated": "script", "file": [...]}: that has changed, and is this file now; the worker serves
// nobody until it is put back.
void report_outdated(std::string_view script, const base::FileIdentity& file);
// {"imported": [...]}: a script that a successor is to import as well.
void report_import(const gateway::Preload& import);

}  // namespace pyhost::worker
