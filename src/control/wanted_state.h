// What httpd wants to run, as it is sent to the supervisor at each start and restart of httpd.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_rules.h"
#include "control/httpd_identity.h"
#include "plugin/plugin_loader.h"
#include "pyhost/base/result.h"
#include "settings/process_group.h"

namespace pyhost::control {

struct WantedGroup {
  settings::ProcessGroup options;
  std::string place;  // of its WSGIDaemonProcess, "/etc/apache2/shop.conf:4"; for records
  // In the socket paths. Unique; a group that keeps it over a restart keeps its sockets and its
  // scoreboard.
  unsigned index = 0;
  // Which of the descriptors its workers write to, and which are its scoreboard.
  unsigned log = 0;
  unsigned board = 0;
  unsigned reports = 0;
  unsigned metrics = 0;  // and which the memory of its application metrics; 0: it has none
  // The WorkerSettings of its workers as text, which goes to them unread.
  std::string worker_settings = "{}";

  bool operator==(const WantedGroup&) const = default;
};

// With it travel descriptors, the log of the supervisor itself first.
struct WantedState {
  std::string socket_prefix;    // absolute
  std::string operator_socket;  // absolute path
  // Whose members may ask for the status there; nothing: root and our own user alone.
  std::optional<std::uint32_t> monitor_gid;
  std::string stacks_socket;  // where httpd's children may ask for stacks; "": nowhere
  HttpdIdentity httpd;
  std::string httpd_version;                // "2.4.62"
  std::string python_home;                  // WSGIPythonHome; "" when it is not set
  std::vector<plugin::PluginFile> plugins;  // newest Python first
  base::LogRules log;                       // of the supervisor
  // Told to a supervisor that takes the place of another while httpd runs: what can be served is,
  // and groups that run already as they are wanted are left alone. Otherwise a group that cannot be
  // started makes the whole state refused.
  bool revival = false;
  std::vector<WantedGroup> groups;

  bool operator==(const WantedState&) const = default;
};

// One JSON text. Texts may have any bytes.
std::string to_json(const WantedState& state);

// Fails with a sentence for anything that to_json() does not make, and for a state of another build
// before anything else of it is looked at.
base::Result<WantedState> parse_wanted_state(std::string_view text);

// In place of a state: see retire(). The same in every build.
inline constexpr std::string_view kRetireText = "\"retire\"";

// In place of a state too: httpd has a configuration that it did not come to tell, and why. There
// is no answer.
std::string refusal_text(std::string_view why);
// Nothing for any other message.
std::optional<std::string> parse_refusal(std::string_view text);

// The supervisor's answer: ok when there is no error.
// The same in every build.
struct Answer {
  std::vector<std::string> errors;
};
std::string to_json(const Answer& answer);
base::Result<Answer> parse_answer(std::string_view text);

}  // namespace pyhost::control
