// The two places in which a hook script can answer, for tests of both.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {

struct HookPlace {
  const char* name;
  const char* options;  // of the hook
  bool in_group;
};

// PrintTo makes gtest's names readable.
inline void PrintTo(const HookPlace& place, std::ostream* out) {
  *out << place.name;
}

inline constexpr HookPlace kHookPlaces[] = {{"Embedded", "", false},
                                            {"InAProcessGroup", " process-group=hooks", true}};

// What tests/apps/hooks.py prints is no failure, nor are httpd's own records of who was denied.
class HookedHttpd : public Httpd {
 public:
  explicit HookedHttpd(const std::string& config, const Options& options = {})
      : Httpd(config, options) {
    for (const char* text : {"asked ", "AH01617", "AH01618", "AH01630", "AH01631"}) {
      tolerate_log(text);
    }
  }
};

class HookTest : public ::testing::TestWithParam<HookPlace> {
 protected:
  // A directive for tests/apps/hooks.py, or another script.
  static std::string hook(const std::string& directive, const std::string& script = "hooks.py") {
    return directive + " ${APPS}/" + script + GetParam().options + '\n';
  }
  // The process group, and a static page at /x with those lines for it.
  static std::string guarded_page(const std::string& lines) {
    return "WSGIDaemonProcess hooks threads=2\n"
           "Alias /x ${ROOT}/htdocs/page.txt\n"
           "<Location /x>\n" +
           lines + "</Location>\n";
  }
  static Options with_page() { return {.files = {{"htdocs/page.txt", "the page"}}}; }
};

// "user:password", as it is, in the header of Basic authentication.
Headers basic(std::string_view credentials);

}  // namespace pyhost::test
