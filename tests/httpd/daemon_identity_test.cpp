// Who the workers are.

#include <gmock/gmock.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "harness/httpd.h"
#include "httpd/portrait.h"

namespace pyhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

uid_t uid_of(const char* name) {
  return getpwnam(name)->pw_uid;
}
gid_t gid_of(const char* name) {
  return getgrnam(name)->gr_gid;
}
Json thrice(unsigned id) {
  return {id, id, id};
}

class WorkerIdentity : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make a process another user's";
  }
};

TEST_F(WorkerIdentity, IsThatOfUserGroupAndSupplementaryGroups) {
  const Httpd httpd(
      "WSGIDaemonProcess g user=daemon group=mail supplementary-groups=audio,#22\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n");
  const Json seen = portrait_of(httpd);
  EXPECT_EQ(seen["uid"], thrice(uid_of("daemon")));
  EXPECT_EQ(seen["gid"], thrice(gid_of("mail")));
  EXPECT_EQ(seen["groups"], (Json{gid_of("mail"), 22, gid_of("audio")}));
  EXPECT_EQ(seen["env"]["HOME"], getpwnam("daemon")->pw_dir);
  EXPECT_EQ(seen["cwd"], getpwnam("daemon")->pw_dir);
}

TEST_F(WorkerIdentity, IsHttpdsWhenNothingElseIsNamed) {
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n");
  const Json seen = portrait_of(httpd);
  EXPECT_EQ(seen["uid"], thrice(uid_of(kServerUser)));
  EXPECT_EQ(seen["gid"], thrice(gid_of(kServerUser)));
}

TEST_F(WorkerIdentity, IsEachGroupsOwn) {
  const Httpd httpd(
      "WSGIDaemonProcess one user=daemon group=daemon\n"
      "WSGIDaemonProcess two user=games group=games\n"
      "WSGIScriptAlias /one ${APPS}/process.wsgi process-group=one\n"
      "WSGIScriptAlias /two ${APPS}/process.wsgi process-group=two\n"
      "WSGIScriptAlias /here ${APPS}/process.wsgi\n");
  EXPECT_EQ(portrait_of(httpd, "/one")["uid"], thrice(uid_of("daemon")));
  EXPECT_EQ(portrait_of(httpd, "/two")["uid"], thrice(uid_of("games")));
  EXPECT_EQ(portrait_of(httpd, "/here")["uid"], thrice(uid_of(kServerUser)));
}

Options ordinary() {
  return {.starter = Starter::ordinary_user};
}

TEST(OrdinaryUser, ServesWithWorkersOfItsOwn) {
  const Httpd httpd(
      "WSGIDaemonProcess g processes=2\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n",
      ordinary());
  const uid_t own = geteuid() == 0 ? uid_of(kServerUser) : geteuid();
  EXPECT_EQ(portrait_of(httpd)["uid"], thrice(own));
}

// As on a machine for development, with the configuration of the real one.
TEST(OrdinaryUser, ServesAsItselfWhateverOptionsNeedRoot) {
  Httpd httpd(
      "WSGIDaemonProcess g user=games group=games supplementary-groups=audio cpu-priority=-5\n"
      "WSGIScriptAlias / ${APPS}/process.wsgi process-group=g\n",
      ordinary());
  httpd.expect_log(
      "PH0364: WSGIDaemonProcess g: only root can give user=, group=, supplementary-groups=, "
      "cpu-priority= below 0 effect");
  const uid_t own = geteuid() == 0 ? uid_of(kServerUser) : geteuid();
  EXPECT_EQ(portrait_of(httpd)["uid"], thrice(own));
}

TEST(OrdinaryUser, MayNotLockAGroupUp) {
  for (const auto& run : {start_in_vain, check_config}) {
    const ConfigCheck check = run("WSGIDaemonProcess g chroot=/srv\n", ordinary());
    EXPECT_FALSE(check.ok());
    EXPECT_THAT(check.output, AllOf(HasSubstr("PH0355: WSGIDaemonProcess g: chroot= needs httpd to "
                                              "be started by root"),
                                    HasSubstr("httpd.conf:")));
  }
}

TEST(WorkerStart, IsRefusedAtOnceForWhatDoesNotExist) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"user=nosuchuser", "there is no user nosuchuser"},
      {"group=nosuchgroup", "there is no group nosuchgroup"},
      {"home=/nosuchfolder", "home=/nosuchfolder cannot be entered by user id"},
      {"env-file=/nosuchfile", "env-file=/nosuchfile cannot be read"},
      {"python-home=/nosuchfolder", "python-home=: "}};
  for (const auto& [option, sentence] : mistakes) {
    const ConfigCheck start = start_in_vain(std::string("WSGIDaemonProcess g ") + option + "\n");
    EXPECT_FALSE(start.ok()) << option;
    EXPECT_THAT(start.output, AllOf(HasSubstr("WSGIDaemonProcess g: "), HasSubstr(sentence)));
  }
}

}  // namespace
}  // namespace pyhost::test
