// What a request is to run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pyhost/base/file_identity.h"

namespace pyhost::gateway {

// The main interpreter's application group.
inline constexpr std::string_view kMainInterpreter = "";

enum class TargetKind {
  file,    // `script` is the path of a Python file
  module,  // `script` is the dotted name of an importable module
};

enum class Reloading { off, on };

// How an application is called.
enum class Protocol {
  wsgi,
  asgi,      // ASGI 3: application(scope, receive, send)
  asgi2,     // its first edition: application(scope)(receive, send)
  detected,  // by what the callable is
};

// Whether it is said that an event loop is to run it.
constexpr bool needs_loop(Protocol protocol) noexcept {
  return protocol == Protocol::asgi || protocol == Protocol::asgi2;
}

std::string_view name_of(Protocol protocol) noexcept;

// Views only; whoever calls the engine keeps the texts alive for the call.
struct Target {
  TargetKind kind = TargetKind::file;
  std::string_view process_group;      // "" when embedded
  std::string_view application_group;  // kMainInterpreter or the name of a sub-interpreter
  std::string_view script;
  std::string_view callable = "application";  // "" in a prepare(): none is looked for
  Reloading reloading = Reloading::on;
  // The script's file as httpd saw it for this request; without it the engine looks itself.
  base::FileIdentity script_file;
  Protocol protocol = Protocol::wsgi;
  // What a handler script runs for, the file of the URL: reload_required() is asked about it. ""
  // when that is the script.
  std::string_view resource;
};

// A script or module to import, or that was imported: a target by its own texts, without a request.
struct Script {
  std::string application_group;
  std::string script;
  std::string callable;  // "" when none is looked for, or it did not define the one that was
  TargetKind kind = TargetKind::file;

  bool operator==(const Script&) const = default;
};

// Views of it, without a process group.
Target target_of(const Script& script) noexcept;
Script script_of(const Target& target);
// As people know it: "/srv/site.wsgi", "package.module:callable".
std::string name_of(const Script& script);

// Stands for a script of an application group where its text has no room: the same for all targets
// that name it, whatever their callable.
std::uint64_t script_key(std::string_view application_group, std::string_view script) noexcept;
std::uint64_t script_key(const Target& target) noexcept;
std::uint64_t script_key(const Script& script) noexcept;

// Takes "package.module:callable" apart. A text with a '/' or without a ':' is a file's path and
// gives false.
bool split_module_target(std::string_view text, std::string_view& module,
                         std::string_view& callable) noexcept;

}  // namespace pyhost::gateway
