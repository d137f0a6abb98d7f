// What `pyhost serve` is told, declared once in serve_options.def.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/result.h"
#include "settings/global_name.h"

namespace pyhost::serve {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What the kinds of values are kept as.
namespace kept_as {
using Text = std::string;
using Choice = std::string;
using Path = std::string;     // absolute
using LogFile = std::string;  // the same, or a word that stands for no file
using Number = int;
using Seconds = base::Milliseconds;
using Bytes = std::uint64_t;
using Flag = bool;
using Texts = std::vector<std::string>;
using Paths = std::vector<std::string>;
using Pairs = serve::Pairs;
using UrlFolders = serve::Pairs;  // whose second texts are paths
}  // namespace kept_as

// As given; resolve() finds out what it means. "" and {} stand for what was not given.
struct ServeOptions {
  std::string target;
#define PH_HEADING(text)
#define PH_OPTION(kind, member, name, standard, ...) kept_as::kind member = standard;
#define PH_GROUP_OPTION(member, ...) std::string member;
#include "serve/serve_options.def"
#undef PH_HEADING
#undef PH_OPTION
#undef PH_GROUP_OPTION

  // Where a value was given, by the option's name: "--port", "pyhost.toml:3: port".
  std::map<std::string, std::string, std::less<>> places;

  // The option as a sentence about its value begins.
  std::string named(std::string_view name) const;
  bool has(std::string_view name) const {
    return places.contains(name);
  }
};

enum class ValueKind {
  Text,
  Choice,
  Path,
  LogFile,
  Number,
  Seconds,
  Bytes,
  Flag,
  Texts,
  Paths,
  Pairs,
  UrlFolders
};

// An alias of an option.
struct OtherName {
  std::string name;
  int words = 1;  // that its value takes
};

// One option: its declaration, from which parsing, help and the reference pages follow.
struct ServeOption {
  using Member = std::variant<std::string ServeOptions::*, int ServeOptions::*,
                              base::Milliseconds ServeOptions::*, std::uint64_t ServeOptions::*,
                              bool ServeOptions::*, std::vector<std::string> ServeOptions::*,
                              Pairs ServeOptions::*>;

  std::string_view name;  // "access-log"
  std::string_view heading;
  ValueKind kind = ValueKind::Text;
  Member member;
  bool of_group = false;     // of WSGIDaemonProcess, where it has the same name
  std::string_view aliases;  // other names, separated by blanks; "name:2" takes two words
  std::string_view metavar;  // "" for a flag
  std::string_view choices;  // separated by blanks
  std::int64_t min = 0;      // of numbers, sizes and times (in ms)
  std::int64_t max = INT64_MAX;
  std::string_view help;  // a sentence without its full stop

  std::vector<OtherName> other_names() const;
  bool is_list() const noexcept { return member.index() >= kFirstList; }
  bool is_pairs() const noexcept {
    return kind == ValueKind::Pairs || kind == ValueKind::UrlFolders;
  }
  bool is_path() const noexcept {
    return kind == ValueKind::Path || kind == ValueKind::Paths || kind == ValueKind::UrlFolders;
  }

 private:
  static constexpr std::size_t kFirstList = 5;
};

// In the order of the help; static storage.
std::span<const ServeOption> serve_options();
const ServeOption* find_option(std::string_view name);  // null when there is none; no aliases
// The text that completes "... is needed" for a wrong value: "a number from 0 to 65535".
std::string accepted_by(const ServeOption& option);
// The help with what is accepted, the default and other names behind it.
std::string help_of(const ServeOption& option);
// The default as it would be written; "" when there is none.
std::string default_of(const ServeOption& option);

// Where a value stands.
struct ValuePlace {
  std::string name;    // "--port", "pyhost.toml:3: port"
  std::string folder;  // what its relative paths are relative to; "" for the current folder
};

// Sets one option; a value of a list is added to it. Fails with a sentence that begins with the
// place; `options` is then unchanged.
base::Result<> assign(ServeOptions& options, const ServeOption& option, std::string_view text,
                      const ValuePlace& place);

// The values of `options` that `defaults` lets stand: what was given there too is taken from there.
// Lists are not joined.
void add_defaults(ServeOptions& options, const ServeOptions& defaults);

}  // namespace pyhost::serve
