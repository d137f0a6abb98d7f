// The directives: one declaration each, from which parsing, scope, merging, the dump and the
// reference pages follow.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "pyhost/base/messages.h"
#include "pyhost/base/result.h"
#include "settings/settings.h"

namespace pyhost::settings {

// Where a directive may stand.
enum class Scope {
  global,      // the main server's configuration
  server,      // and <VirtualHost>
  directory,   // and <Directory>, <Location>, <Files>, <If>
  fileinfo,    // and .htaccess, where AllowOverride FileInfo is given
  authconfig,  // <Directory>, <Location>, <Files>, <If>, and .htaccess with AllowOverride
               // AuthConfig
};

// "main server, virtual host, directory" and the like.
std::string_view describe(Scope scope) noexcept;

struct Directive;

// How one member of a settings record is read, inherited and shown.
template <class Record>
struct Setting {
  // Sets the member; a list grows by the value. Fails with a sentence that names the directive, the
  // value and what is accepted. Views in the record point into `value` and `memory`.
  base::Result<> (*assign)(Record& record, const Directive& directive, std::string_view value,
                           std::pmr::memory_resource& memory);
  // Takes the member over from `parent` if it is not set.
  void (*inherit)(Record& record, const Record& parent);
  // The member as it would be written in the configuration; "" when it is not set.
  std::string (*show)(const Record& record, const Directive& directive);
};

// Directives that map URLs, start scripts or define processes; apache/ has their setters.
enum class ScriptDirective { alias, alias_match, handler, import, daemon_process };

// Where httpd asks a script about a request: directives that name a hook script, and its place.
enum class Hook : std::size_t {
  access,       // may this client have it
  auth_user,    // passwords and digests
  auth_group,   // groups of users
  check_authn,  // who has sent it, with a reply of its own
  dispatch,     // what is to run it
};
inline constexpr std::size_t kHooks = 5;

// The section <WSGIInterpreterOptions>; apache/ has its setter.
struct OptionsSection {};

// A directive of mod_wsgi that is accepted without effect.
struct Inert {
  const char* why;  // "each worker has a socket of its own": a sentence
  base::Message message = base::Message::directive_inert;
};

// How many words a directive with a setting takes.
enum class WordCount { one, any };

struct Directive {
  const char* name;
  Scope scope;
  std::variant<ScriptDirective, Hook, OptionsSection, Inert, Setting<ProcessSettings>,
               Setting<RequestSettings>>
      meaning;
  const char* syntax;       // of the arguments, for the reference and httpd's usage message
  const char* accepted;     // "On or Off": completes a sentence about a wrong value
  const char* option;       // the key of the same setting on an alias; nullptr if there is none
  const char* description;  // a paragraph
  const char* example;      // complete lines of configuration
  // For texts: whether one is accepted. nullptr: any that is not empty.
  bool (*accepts)(std::string_view text) noexcept = nullptr;
  // For numbers: the largest one; larger ones are refused, or taken for it.
  unsigned max = 0;
  bool clamped = false;
  // For lists: what stands between the items of one line.
  char separator = ' ';
  // Several words reach the setting as one text, with blanks between them.
  WordCount words = WordCount::one;
  // May stand in <WSGIInterpreterOptions>.
  bool of_interpreters = false;
};

// As httpd's configuration has it: "<WSGIInterpreterOptions>" for a section.
std::string written_name(const Directive& directive);

// In the order of the reference page; static storage.
std::span<const Directive> all_directives() noexcept;

// The setting behind an alias option such as "application-group"; nullptr for an unknown key.
const Directive* find_alias_option(std::string_view key) noexcept;

// Fails like Setting::assign. PRECONDITION: the directive sets a member of that record.
base::Result<> assign(const Directive& directive, ProcessSettings& record, std::string_view value,
                      std::pmr::memory_resource& memory);
base::Result<> assign(const Directive& directive, RequestSettings& record, std::string_view value,
                      std::pmr::memory_resource& memory);

// For directives without effect. Fails like Setting::assign.
base::Result<> check_inert(const Directive& directive, std::string_view value);

// `settings`, with what is not set there taken from `parent`.
ProcessSettings inherit(ProcessSettings settings, const ProcessSettings& parent);
RequestSettings inherit(RequestSettings settings, const RequestSettings& parent) noexcept;

// "WSGIScriptReloading On" for every member that is set, one per line.
std::string show(const ProcessSettings& settings);
std::string show(const RequestSettings& settings);

}  // namespace pyhost::settings
