#include "harness/error_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pyhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kInfo[] =
    "[Sun Nov 22 13:07:24.996085 2026] [wsgi:info] [pid 1:tid 1] PH0308: loaded\n";
constexpr char kWarning[] =
    "[Sun Nov 22 13:07:24.996085 2026] [core:warn] [pid 1:tid 1] AH00111: not defined\n";
constexpr char kCrash[] =
    "[Sun Nov 22 13:07:24.996085 2026] [core:notice] [pid 1:tid 1] AH00052: child pid 7 exit "
    "signal Segmentation fault (11)\n";

TEST(ErrorLogAudit, LetsInformationPass) {
  EXPECT_THAT(audit_error_log(kInfo, {}), IsEmpty());
}

TEST(ErrorLogAudit, ComplainsOfAnUndeclaredWarning) {
  EXPECT_THAT(audit_error_log(kWarning, {}), ElementsAre(HasSubstr("AH00111")));
}

TEST(ErrorLogAudit, LetsADeclaredWarningPass) {
  EXPECT_THAT(audit_error_log(kWarning, std::vector<std::string>{"AH00111"}), IsEmpty());
}

TEST(ErrorLogAudit, ComplainsOfADeclaredTextThatDoesNotOccur) {
  EXPECT_THAT(audit_error_log(kInfo, std::vector<std::string>{"PH0174"}),
              ElementsAre(HasSubstr("PH0174")));
}

TEST(ErrorLogAudit, ComplainsOfACrashThoughItIsANotice) {
  EXPECT_THAT(audit_error_log(kCrash, {}), ElementsAre(HasSubstr("Segmentation fault")));
}

// What mod_crash_trace says of child 7.
std::string crash_in(std::string_view place) {
  return "[Sun Nov 22 13:07:24.990085 2026] [crash_trace:notice] [pid 7:tid 7] crashed with signal "
         "11 in " +
         std::string(place) + "\n";
}

TEST(ErrorLogAudit, LetsACrashPassThatTheEventMpmHasByItself) {
  for (const char* place :
       {"libapr-1.so.0:apr_os_sock_get < mod_mpm_event.so < mod_mpm_event.so < apache2:main",
        "libapr-1.so.0:apr_pool_cleanup_kill < libapr-1.so.0:apr_pool_cleanup_run < "
        "mod_mpm_event.so < apache2:main",
        "libc.so.6 < libapr-1.so.0:apr_os_sock_get < mod_mpm_event.so < apache2:main"}) {
    EXPECT_THAT(audit_error_log(crash_in(place) + kCrash, {}), IsEmpty());
  }
}

TEST(ErrorLogAudit, LetsACrashPassOfAChildThatHasNotInitialisedItsModules) {
  const auto initialised = [](int pid) {
    return fmt::format(
        "[Sun Nov 22 13:07:24.990085 2026] [crash_trace:notice] [pid {0}:tid {0}] initialises its "
        "modules\n",
        pid);
  };
  EXPECT_THAT(audit_error_log(initialised(6) + kCrash, {}), IsEmpty());
  EXPECT_THAT(audit_error_log(initialised(6) + initialised(7) + kCrash, {}),
              ElementsAre(HasSubstr("Segmentation fault")));
}

TEST(ErrorLogAudit, LetsTheLastWordsOfMallocPassInSuchAChild) {
  constexpr char kWords[] = "corrupted double-linked list\n";
  constexpr char kAbort[] =
      "[Sun Nov 22 13:07:25.996085 2026] [core:notice] [pid 1:tid 1] AH00052: child pid 7 exit "
      "signal Abort (6)\n";
  const auto initialised = [](int pid) {
    return fmt::format(
        "[Sun Nov 22 13:07:24.990085 2026] [crash_trace:notice] [pid {0}:tid {0}] initialises its "
        "modules\n",
        pid);
  };
  EXPECT_THAT(audit_error_log(initialised(6) + kWords + kAbort, {}), IsEmpty());
  EXPECT_EQ(audit_error_log(initialised(6) + initialised(7) + kWords + kAbort, {}).size(), 2u);
  EXPECT_EQ(audit_error_log(initialised(6) + kWords, {}).size(), 1u);
}

TEST(ErrorLogAudit, ComplainsOfACrashInAnotherPlaceOrChild) {
  EXPECT_THAT(
      audit_error_log(
          crash_in("libapr-1.so.0:apr_os_sock_get < mod_pyhost.so < apache2:main") + kCrash, {}),
      ElementsAre(HasSubstr("Segmentation fault")));
  const std::string other_child =
      "[Sun Nov 22 13:07:24.990085 2026] [crash_trace:notice] [pid 77:tid 77] crashed with signal "
      "11 in libapr-1.so.0:apr_os_sock_get < mod_mpm_event.so\n";
  EXPECT_THAT(audit_error_log(other_child + kCrash, {}),
              ElementsAre(HasSubstr("Segmentation fault")));
}

TEST(ErrorLogAudit, ComplainsOfALineThatIsNoRecord) {
  EXPECT_THAT(audit_error_log("Fatal Python error: init\n", {}), ElementsAre(HasSubstr("Fatal")));
}

TEST(ErrorLog, IsParsedIntoModuleAndLevel) {
  const auto lines = parse_error_log(std::string(kInfo) + "stray\n\n" + kWarning);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].module, "wsgi");
  EXPECT_EQ(lines[0].level, "info");
  EXPECT_EQ(lines[1].level, "");
  EXPECT_EQ(lines[2].module, "core");
}

}  // namespace
}  // namespace pyhost::test
