// Replies on the wire.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char kApp[] = "WSGIScriptAlias /app ${APPS}/replies.wsgi\n";

std::string raw(const Httpd& httpd, const std::string& path) {
  RawConnection connection = httpd.connect();
  connection.send("GET /app" + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return connection.read_all();
}

TEST(Reply, OfOneBlockHasALength) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app");
  EXPECT_EQ(reply.header("content-length"), "4");
  EXPECT_EQ(reply.header("transfer-encoding"), std::nullopt);
  EXPECT_EQ(reply.header("content-type"), std::nullopt);
  EXPECT_EQ(reply.body, "body");
}

TEST(Reply, KeepsStatusAndReason) {
  const Httpd httpd(kApp);
  EXPECT_EQ(httpd.get("/app?299+Odd").status, 299);
  EXPECT_EQ(httpd.get("/app?299+Odd").reason, "Odd");
  EXPECT_EQ(httpd.get("/app?404+Gone+Fishing").body, "body");
  EXPECT_EQ(httpd.get("/app?200").reason, "OK");
  EXPECT_EQ(httpd.get("/app?299").status, 299);
}

TEST(Reply, KeepsRepeatedHeadersApartAndDateAndServerForHttpd) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app/repeated");
  EXPECT_THAT(reply.all("x-a"), ElementsAre("1", "2"));
  EXPECT_EQ(reply.all("date").size(), 1u);
  EXPECT_THAT(reply.header("date").value_or(""), EndsWith(" GMT"));
  EXPECT_THAT(reply.all("server"), ElementsAre(HasSubstr("Apache")));
}

TEST(Reply, DropsWhatIsAboutTheConnectionWithOneNotice) {
  Httpd httpd(kApp);
  HttpClient client = httpd.client();
  for (const bool kept : {false, true, true}) {
    const Response reply = client.get("/app/kept");
    EXPECT_EQ(reply.body, "body");
    EXPECT_EQ(reply.header("keep-alive").value_or("").find("timeout=77"), std::string::npos);
    EXPECT_EQ(reply.on_kept_connection, kept);
  }
  httpd.stop();
  EXPECT_EQ(count(httpd.log(), "PH0320"), 1u);
}

TEST(Reply, MayCloseTheConnection) {
  const Httpd httpd(kApp);
  const std::string reply = raw(httpd, "/closed");
  EXPECT_THAT(reply, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(reply, EndsWith("body"));
}

TEST(Reply, CannotChooseAHandlerByItsType) {
  const Httpd httpd(kApp);
  const Response reply = httpd.get("/app/typed");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-type"), "application/x-httpd-wsgi");
}

TEST(ErrorOverride, PutsHttpdsPageInThePlaceOfTheApplications) {
  const Httpd httpd(std::string(kApp) + "WSGIErrorOverride On\nErrorDocument 404 \"nothing here\"");
  const Response missing = httpd.get("/app?404+Gone+Fishing");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.reason, "Not Found");
  EXPECT_EQ(missing.body, "nothing here");
  const Response challenge = httpd.get("/app/login?401+No");
  EXPECT_EQ(challenge.status, 401);
  EXPECT_EQ(challenge.header("www-authenticate"), "Basic realm=\"x\"");
  EXPECT_EQ(challenge.header("set-cookie"), std::nullopt);
  EXPECT_EQ(httpd.get("/app?200").body, "body");
}

TEST(ErrorOverride, IsOffUnlessAskedFor) {
  const Httpd httpd(std::string(kApp) + "ErrorDocument 404 \"nothing here\"");
  EXPECT_EQ(httpd.get("/app?404+Gone+Fishing").body, "body");
}

TEST(InternalRedirect, AnswersWithAnotherUrlWhenAskedFor) {
  const Httpd httpd(std::string(kApp) + "WSGIInternalRedirect On");
  const Response reply = httpd.request({.method = "POST", .path = "/app/elsewhere", .body = "x"});
  EXPECT_EQ(reply.status, 203);
  EXPECT_EQ(reply.header("content-type"), "application/x-httpd-wsgi");
  EXPECT_EQ(httpd.get("/app/elsewhere?302+Found").status, 302);

  const Httpd plain(kApp);
  EXPECT_EQ(plain.get("/app/elsewhere").header("location"), "/app/typed?203+There");
}

TEST(Reply, WithoutABodyHasNone) {
  const Httpd httpd(kApp);
  EXPECT_EQ(httpd.get("/app?204+No+Content").body, "");
  EXPECT_EQ(httpd.get("/app?304+Not+Modified").body, "");
  const Response head = httpd.request({.method = "HEAD", .path = "/app"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST(Reply, OfAFileIsSentByHttpd) {
  for (const char* sendfile : {"Off", "On"}) {
    const Httpd httpd(std::string(kApp) + "EnableSendfile On\nWSGIEnableSendfile " + sendfile);
    const Response whole = httpd.get("/app/file");
    EXPECT_THAT(whole.body, HasSubstr("wsgi.file_wrapper"));
    EXPECT_EQ(whole.header("content-length"), std::to_string(whole.body.size()));
    const Response part = httpd.request({.path = "/app/file", .headers = {{"Range", "bytes=3-9"}}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, whole.body.substr(3, 7));
  }
}

// How many bytes a request for seven of them gets.
struct Ranged {
  int status;
  std::size_t bytes;
  bool operator==(const Ranged&) const = default;
};

Ranged ask_for_range(const Httpd& httpd, const std::string& path, const std::string& method = "GET",
                     const std::string& range = "bytes=3-9") {
  const Response reply =
      httpd.request({.method = method, .path = path, .headers = {{"Range", range}}});
  return {reply.status, reply.body.size()};
}

TEST(Range, IsCutOutOfAFile) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/ranges.wsgi");
  EXPECT_EQ(ask_for_range(httpd, "/app/file"), (Ranged{206, 7}));
  EXPECT_EQ(ask_for_range(httpd, "/app/file?accept=bytes"), (Ranged{206, 7}));
  EXPECT_EQ(ask_for_range(httpd, "/app/file?accept=none"), (Ranged{200, 300'000}));
}

TEST(Range, IsTheApplicationsToCutOutOfAnythingElse) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/ranges.wsgi");
  for (const char* path : {"/list", "/large", "/generator", "/list?accept=bytes"}) {
    const Ranged reply = ask_for_range(httpd, std::string("/app") + path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_GT(reply.bytes, 7u) << path;
  }
}

TEST(Range, IsForGetOnly) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/ranges.wsgi");
  EXPECT_EQ(ask_for_range(httpd, "/app/file", "POST"), (Ranged{200, 300'000}));
  EXPECT_EQ(ask_for_range(httpd, "/app/file", "HEAD"), (Ranged{200, 0}));
}

TEST(Range, BeyondTheEndIsNoErrorOfTheServer) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/ranges.wsgi");
  EXPECT_EQ(ask_for_range(httpd, "/app/file", "GET", "bytes=400000-").status, 416);
  EXPECT_EQ(ask_for_range(httpd, "/app/list", "GET", "bytes=400000-").status, 200);
}

TEST(Reply, PassesThroughOutputFilters) {
  const Httpd httpd(std::string(kApp) + "SetOutputFilter DEFLATE");
  const Response reply =
      httpd.request({.path = "/app/file", .headers = {{"Accept-Encoding", "gzip"}}});
  EXPECT_EQ(reply.header("content-encoding"), "gzip");
}

// Of a stream that nobody listens to any more.
TEST(Stream, OfAClientThatHasLeftEndsAtTheNextBlock) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/two_blocks.wsgi\nSetEnv MARKS ${ROOT}/marks");
  const std::string marks = httpd.make_writable("marks");
  {
    RawConnection client = httpd.connect();
    client.send("GET /app HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.read_until("one");
  }
  std::ofstream(marks + "/left");
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(marks + "/closed"); }));
  EXPECT_FALSE(std::filesystem::exists(marks + "/went_on"));
}

TEST(Stream, OfBlocksInQuickSuccessionWaitsForNoOther) {
  const Httpd httpd("WSGIScriptAlias /app ${APPS}/two_blocks.wsgi\nSetEnv MARKS ${ROOT}/marks");
  const std::string marks = httpd.make_writable("marks");
  RawConnection client = httpd.connect();
  client.send("GET /app/quick HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.read_until("and");
  EXPECT_FALSE(std::filesystem::exists(marks + "/closed"));
  std::ofstream(marks + "/left");
  client.read_until("two");
  client.read_until("\r\n0\r\n\r\n");
}

TEST(BrokenReply, LeavesTheLastChunkOut) {
  Httpd httpd(kApp);
  httpd.expect_log("PH0174");
  const std::string reply = raw(httpd, "/broken");
  EXPECT_THAT(reply, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_THAT(reply, HasSubstr("second"));
  EXPECT_THAT(reply, Not(EndsWith("0\r\n\r\n")));
}

TEST(BrokenReply, WithALengthEndsTheConnectionEarly) {
  Httpd httpd(kApp);
  httpd.expect_log("PH0300");
  const Response reply = httpd.get("/app/short");
  EXPECT_FALSE(reply.complete());
  EXPECT_EQ(reply.body, "body");
}

TEST(BrokenReply, ResetsAConnectionWhoseEndWouldLookLikeTheRepliesEnd) {
  Httpd httpd(kApp);
  httpd.expect_log("PH0174");
  RawConnection connection = httpd.connect();
  connection.send("GET /app/broken HTTP/1.0\r\n\r\n");
  connection.read_all();
  EXPECT_TRUE(connection.was_reset());
}

TEST(BrokenReply, ResetsAnHttp2Stream) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP() << "mod_http2 needs a threaded MPM";
  Httpd httpd(kApp, {.http2 = true});
  httpd.expect_log("PH0174");
  EXPECT_FALSE(httpd.request({.path = "/app/broken", .protocol = Protocol::h2c}).complete());
  EXPECT_TRUE(httpd.request({.path = "/app", .protocol = Protocol::h2c}).complete());
}

TEST(Reply, OfAFileThatCannotBeKeptOpenIsAnError) {
  Httpd httpd("WSGIScriptAlias /app ${APPS}/no_descriptors.wsgi");
  httpd.expect_log("PH0351: the file of the reply cannot be opened once more");
  EXPECT_EQ(httpd.get("/app").status, 500);
}

}  // namespace
}  // namespace pyhost::test
