#include "control/worker_report.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace pyhost::control {
namespace {

void report(const nlohmann::json& status) {
  const std::string line =
      status.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  // A supervisor that has gone is noticed elsewhere.
  static_cast<void>(!::write(control::kWorkerStatusFd, line.data(), line.size()));
}

nlohmann::json json_of(const control::Preload& script) {
  return {base::json_text_of(script.application_group), base::json_text_of(script.script),
          base::json_text_of(script.callable)};
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

void report_import(const control::Preload& import) {
  report({{"imported", json_of(import)}});
}

void report_lack(const control::Preload& script, std::string_view why) {
  // Somebody may raise an exception of any length, over many lines.
  constexpr std::size_t kWhyBytesMax = 1000;
  why = why.substr(0, std::min(why.find('\n'), kWhyBytesMax));
  report({{"lacks", json_of(script)}, {"why", why}});
}

void report_import_wanted(const control::Preload& script) {
  report({{"import_again", json_of(script)}});
}

void report_question() {
  report({{"asks", true}});
}

void report_keeping() {
  report({{"keeping", true}});
}

}  // namespace pyhost::control
