// HTTP/2, which needs a threaded MPM.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <regex>
#include <thread>

#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/process.h"
#include "httpd/digest.h"
#include "httpd/download.h"

namespace pyhost::test {
namespace {

constexpr char kConfig[] =
    "WSGIScriptAlias /echo ${APPS}/echo.wsgi\n"
    "WSGIScriptAlias /streams ${APPS}/streams.wsgi\n"
    "WSGIScriptAlias /scheme ${APPS}/scheme.wsgi\n"
    "WSGIDaemonProcess loops interface=asgi lifespan=off\n"
    "WSGIScriptAlias /asgi ${APPS}/trailers.asgi process-group=loops\n"
    "WSGIApplicationGroup %{GLOBAL}\n";

// Over HTTP/2 with and without TLS.
class Http2 : public testing::TestWithParam<Protocol> {
 protected:
  Response request(Request request) const {
    request.protocol = GetParam();
    return httpd_.request(request);
  }
  Response get(std::string path) const { return request({.path = std::move(path)}); }

  Httpd httpd_{kConfig, {.http2 = true, .tls = true}};
};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutTls, Http2, testing::Values(Protocol::h2c, Protocol::h2_tls),
                         [](const auto& info) {
                           return info.param == Protocol::h2c ? "WithoutTls" : "WithTls";
                         });

TEST_P(Http2, IsWhatTheApplicationIsTold) {
  const std::string scheme = GetParam() == Protocol::h2c ? "http" : "https";
  EXPECT_EQ(get("/scheme").body, scheme + " HTTP/2.0 HTTPS absent");
}

TEST_P(Http2, CarriesABodyBothWays) {
  const std::string body = varied_bytes(1'000'003);
  for (const bool chunked : {false, true}) {
    const Response reply =
        request({.method = "POST", .path = "/echo/post?q", .body = body, .chunked = chunked});
    EXPECT_TRUE(reply.complete()) << reply.error_text;
    EXPECT_TRUE(reply.body == " /post q " + body) << reply.body.substr(0, 100);
  }
}

TEST_P(Http2, StreamsAReply) {
  const Response reply = get("/streams?20000");
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_EQ(reply.body.size(), 108'890u);
  EXPECT_TRUE(reply.body.ends_with("\n19998\n19999\n"));
}

TEST_P(Http2, ResetsTheStreamOfAReplyThatBreaksOff) {
  httpd_.expect_log("PH0174");
  httpd_.expect_log("PH0300");
  for (const char* path : {"/streams/broken?1000", "/streams/short"}) {
    const Response reply = get(path);
    EXPECT_EQ(reply.error, CURLE_HTTP2_STREAM) << path << ": " << reply;
  }
}

TEST_P(Http2, CarriesTrailersToWhoeverTakesThem) {
  const std::string takes = "/asgi/trailers";
  const Response reply = request({.path = takes, .headers = {{"TE", "trailers"}}});
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_EQ(reply.body, "with trailers True");
  EXPECT_EQ(reply.header("x-sum"), "42");
  const Response other = get(takes);
  EXPECT_TRUE(other.complete()) << other.error_text;
  EXPECT_EQ(other.body, "with trailers False");
}

TEST(Http2EarlyHints, ArePassedOnWhereModHttp2DoesSo) {
  for (const bool passed_on : {true, false}) {
    const std::string config = passed_on ? "H2EarlyHints On\n" : "";
    const Httpd httpd(config + "WSGIScriptAlias / ${APPS}/insight.wsgi\n", {.http2 = true});
    const Response reply = httpd.request({.path = "/hints", .protocol = Protocol::h2c});
    EXPECT_EQ(reply.status, 200) << reply;
    EXPECT_EQ(reply.interim, passed_on ? std::vector<int>({103, 103}) : std::vector<int>());
  }
}

Request post_with_id(int id) {
  const std::string text = std::to_string(id);
  return {.method = "POST",
          .path = "/echo/" + text + "?q" + text,
          .headers = {{"X-Id", text}},
          .body = std::string(20'000, static_cast<char>('a' + id)),
          .protocol = Protocol::h2_tls};
}

TEST(Http2Connection, KeepsItsStreamsApart) {
  constexpr int kStreams = 20;
  const Httpd httpd(kConfig, {.http2 = true, .tls = true});
  std::vector<Request> requests;
  for (int i = 0; i < kStreams; ++i) requests.push_back(post_with_id(i));
  const TogetherResult result = request_together(httpd.endpoint(), requests);
  EXPECT_EQ(result.connections, 1);
  for (int i = 0; i < kStreams; ++i) {
    const std::string id = std::to_string(i);
    const Response& reply = result.responses[static_cast<std::size_t>(i)];
    EXPECT_TRUE(reply.complete()) << reply.error_text;
    EXPECT_EQ(reply.header("x-id"), id);
    const std::string& body = *requests[static_cast<std::size_t>(i)].body;
    EXPECT_EQ(reply.body, " /" + id + " q" + id + " " + body);
  }
}

// How a stream ended for a client, from the frames that nghttp saw.
struct StreamEnd {
  bool end_of_stream = false;
  bool reset = false;
};

// The ends of the streams that ask for `paths` over one connection. It looks at frames because
// libcurl 7.88 can report one of several streams as complete that mod_http2's trace shows reset.
std::map<std::string, StreamEnd> ends_of_streams(const Endpoint& endpoint,
                                                 const std::vector<std::string>& paths) {
  const std::string origin = "https://127.0.0.1:" + std::to_string(endpoint.tls_port);
  std::vector<std::string> arguments{"/usr/bin/nghttp", "--verbose", "--null-out",
                                     "--no-verify-peer"};
  for (const std::string& path : paths) arguments.push_back(origin + path);
  const CommandResult run = run_as_server_user(arguments);
  std::map<std::string, std::string> path_of_stream;
  std::map<std::string, StreamEnd> ends;
  const std::regex frame(R"(\[ *[\d.]+\] (send|recv) (\w+) frame <length=\d+, flags=0x(\w+), )"
                         R"(stream_id=(\d+)>|:path: (\S+))");
  std::string stream;
  for (std::sregex_iterator it(run.output.begin(), run.output.end(), frame), end; it != end; ++it) {
    const std::smatch& match = *it;
    if (match[5].matched) {
      path_of_stream[stream] = match[5];
      continue;
    }
    stream = match[4];
    if (match[1] != "recv" || !path_of_stream.contains(stream)) continue;
    StreamEnd& how = ends[path_of_stream[stream]];
    const bool carries_reply = match[2] == "DATA" || match[2] == "HEADERS";
    if (carries_reply && (std::stoi(match[3], nullptr, 16) & 1) != 0) how.end_of_stream = true;
    if (match[2] == "RST_STREAM") how.reset = true;
  }
  EXPECT_EQ(ends.size(), paths.size()) << run;
  return ends;
}

TEST(Http2Connection, OutlivesAStreamThatBreaksOff) {
  Httpd httpd(kConfig, {.http2 = true, .tls = true});
  httpd.expect_log("PH0174");
  const std::string broken = "/streams/broken?5000";
  std::vector<std::string> paths{broken};
  for (int i = 0; i < 6; ++i) paths.push_back("/streams/" + std::to_string(i) + "?5000");
  for (const auto& [path, end] : ends_of_streams(httpd.endpoint(), paths)) {
    EXPECT_EQ(end.reset, path == broken) << path;
    EXPECT_EQ(end.end_of_stream, path != broken) << path;
  }
}

// One frame of HTTP/2.
std::string frame(char type, char flags, char stream, std::string_view payload = {}) {
  std::string bytes{0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream};
  return bytes.append(payload);
}

TEST(Http2Stream, ThatIsResetClosesTheApplicationsIterable) {
  const Httpd httpd(
      "WSGIDaemonProcess patient\n"
      "WSGIScriptAlias / ${APPS}/patience.wsgi process-group=patient\n"
      "SetEnv MARKS ${ROOT}/marks\n",
      {.http2 = true});
  const std::string marks = httpd.make_writable("marks");
  constexpr char kHeaders = 1, kReset = 3, kSettings = 4, kEndOfStreamAndHeaders = 5;
  // GET and http by their numbers, then the path and the host.
  constexpr std::string_view kRequest = "\x82\x86\x04\x06/ticks\x01\x09localhost";
  constexpr std::string_view kCancel("\0\0\0\x08", 4);
  RawConnection client = httpd.connect();
  client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0) +
              frame(kHeaders, kEndOfStreamAndHeaders, 1, kRequest));
  client.read_until("tick");
  client.send(frame(kReset, 0, 1, kCancel));
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(marks + "/closed"); }));
}

std::size_t descriptors_of_children(const Httpd& httpd) {
  std::size_t number = 0;
  for (const pid_t child : httpd.children()) number += descriptors_of(child).size();
  return number;
}

TEST(Http2Stream, OfAnyLengthCostsFewDescriptors) {
  constexpr std::size_t kBlocks = 100;
  constexpr std::size_t kBlockBytes = 300'000;
  constexpr std::size_t kFew = 10;
  const Httpd httpd(
      "WSGIDaemonProcess g\n"
      "WSGIScriptAlias / ${APPS}/blocks.wsgi process-group=g\n"
      "SetEnv GATE ${ROOT}/gate\n",
      {.http2 = true});
  ASSERT_EQ(httpd.write_file("gate", ""), httpd.root() + "/gate");
  EXPECT_EQ(httpd.request({.path = "/?1", .protocol = Protocol::h2c}).body.size(), kBlockBytes + 3);
  std::filesystem::remove(httpd.root() + "/gate");

  const std::size_t before = descriptors_of_children(httpd);
  std::atomic<std::size_t> received = 0;
  CURLcode result = CURLE_OK;
  std::thread client([&] {
    result = download(httpd.endpoint(), "/?" + std::to_string(kBlocks), Protocol::h2c,
                      [&](std::size_t bytes) { received += bytes; });
  });
  EXPECT_TRUE(wait_until([&] { return received == kBlocks * kBlockBytes; }));
  EXPECT_LE(descriptors_of_children(httpd), before + kFew);
  httpd.write_file("gate", "");
  client.join();
  EXPECT_EQ(result, CURLE_OK);
  EXPECT_EQ(received, kBlocks * kBlockBytes + 3);
}

}  // namespace
}  // namespace pyhost::test
