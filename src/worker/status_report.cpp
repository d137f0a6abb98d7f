#include "worker/status_report.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "pyhost/base/json_text.h"

namespace pyhost::worker {
namespace {

void report(const nlohmann::json& status) {
  const std::string line =
      status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // A supervisor that has gone is noticed elsewhere.
  static_cast<void>(!::write(gateway::kWorkerStatusFd, line.data(), line.size()));
}

}  // namespace

void report_step(std::string_view step) {
  report({{"step", step}});
}

void report_ready() {
  report({{"ready", true}});
}

void report_failure(std::string_view sentence) {
  report({{"failed", sentence}});
}

void report_relief_wanted(std::string_view reason) {
  report({{"relieve", reason}});
}

void report_draining(std::string_view reason) {
  report({{"draining", reason}});
}

void report_alive() {
  report({{"alive", true}});
}

void report_outdated(std::string_view script, const base::FileIdentity& file) {
  report({{"outdated", script},
          {"file", {file.device, file.inode, file.bytes, file.modified_us, file.changed_us}}});
}

void report_import(const gateway::Preload& import) {
  report({{"imported",
           {base::json_text_of(import.application_group), base::json_text_of(import.script),
            base::json_text_of(import.callable)}}});
}

}  // namespace pyhost::worker
