// What a look at httpd's configuration has found: the module writes it, whoever asked reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"

namespace pyhost::control {

enum class Severity {
  error,    // httpd does not start with it
  warning,  // httpd starts, and something does not work
  advice,   // it works, and could be better
};

// "error", "warning", "advice".
std::string_view name_of(Severity severity) noexcept;

// One thing that is wrong.
struct Finding {
  Severity severity = Severity::error;
  std::string id;        // "PH0355"
  std::string place;     // "/etc/apache2/sites-enabled/shop.conf:12"; "" when there is none
  std::string sentence;  // what is wrong
  std::string cure;      // what to write instead; "" when the sentence says it

  bool operator==(const Finding&) const = default;
};

// URLs that an application answers.
struct ServedUrls {
  std::string place;              // of the line that says so
  std::string server;             // "shop.example:443"
  std::string url;                // a path, or the regular expression for it
  std::string target;             // a script, or "package.module:callable"
  std::string process_group;      // "" when it runs in httpd's children
  std::string application_group;  // "" is the main interpreter
  std::string user;               // as whom it runs
  std::string python;             // "3.11 (/srv/shop/venv)"

  bool operator==(const ServedUrls&) const = default;
};

// A line other than an alias that names a script: of a handler, a hook, or an import.
struct ScriptLine {
  std::string place;
  std::string server;             // where it stands, "shop.example:443"
  std::string line;               // "WSGIAccessScript /srv/hooks/access.py process-group=hooks"
  std::string directive;          // "WSGIAccessScript"
  std::string script;             // a path, or "package.module:callable"
  std::string process_group;      // "" when it runs in httpd's children
  std::string application_group;  // "" is the main interpreter
  std::string user;               // as whom it runs
  std::string python;             // "3.11 (/srv/shop/venv)"
  bool by_request = false;        // only a request tells the process group

  bool operator==(const ScriptLine&) const = default;
};

// What becomes of a request for a URL.
struct Explanation {
  std::string url;
  std::string server;  // that gets it, "shop.example:443"
  std::string server_place;
  bool mapped = false;  // an application is meant
  std::string alias;    // the line that maps the URL; "" when httpd finds a file by itself
  std::string alias_place;
  std::string handler;    // "wsgi-script", or another module's
  std::string target;     // the file, or "package.module:callable"
  std::string path_info;  // what stands behind it in the URL
  std::string process_group;
  std::string group_place;  // of its WSGIDaemonProcess
  std::string chosen_by;    // what has named the group
  std::string application_group;
  std::string user;
  std::string python;
  unsigned status = 0;  // of the answer, when the application is not asked
  std::string refusal;  // why it is not; "" when it is

  bool operator==(const Explanation&) const = default;
};

struct CheckReport {
  std::vector<Finding> findings;
  std::vector<ServedUrls> served;
  std::vector<ScriptLine> scripts;
  std::vector<Explanation> explained;  // what was asked for

  bool operator==(const CheckReport&) const = default;
};

// The same for one explanation, between the processes of a check.
std::string to_json(const Explanation& explanation);
base::Result<Explanation> parse_explanation(std::string_view text);

// One object, without a line's end.
std::string to_json(const CheckReport& report);
// Fails for what to_json() has not made.
base::Result<CheckReport> parse_check_report(std::string_view text);

}  // namespace pyhost::control
