// Files that change while httpd sends them, and files that only reading can tell the size of.

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "harness/httpd.h"
#include "httpd/download.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

// More than connections and filters hold.
constexpr std::size_t kFileBytes = 64 << 20;
constexpr std::size_t kBytesLeft = 1000;

constexpr char kScripts[] =
    "WSGIScriptAlias /file ${APPS}/download.wsgi\n"
    "WSGIScriptAlias /other ${APPS}/replies.wsgi\n"
    "WSGIApplicationGroup %{GLOBAL}\n";

struct Way {
  std::string name;
  std::string config;
  Protocol protocol = Protocol::http11;
};

std::vector<Way> ways() {
  constexpr char kSendfile[] = "EnableSendfile On\nWSGIEnableSendfile On\n";
  constexpr char kDeflate[] = "SetOutputFilter DEFLATE\n";
  std::vector<Way> all{{"Itself", ""},
                       {"Sendfile", kSendfile},
                       {"Deflate", kDeflate},
                       {"Tls", "", Protocol::http11_tls},
                       {"TlsAndSendfile", kSendfile, Protocol::http11_tls}};
  if (default_mpm() != Mpm::prefork) {
    all.push_back({"Http2", "", Protocol::h2c});
    all.push_back({"Http2AndDeflate", kDeflate, Protocol::h2_tls});
  }
  return all;
}

class ReplyFile : public testing::TestWithParam<Way> {
 protected:
  // Bytes that no filter makes much smaller.
  ReplyFile() {
    std::mt19937_64 random;
    std::vector<std::uint64_t> words(kFileBytes / sizeof(std::uint64_t));
    std::ranges::generate(words, random);
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(words.data()), kFileBytes);
  }

  Httpd httpd_{"SetEnv DOWNLOAD ${ROOT}/files/file\n" + GetParam().config + kScripts,
               {.http2 = default_mpm() != Mpm::prefork, .tls = true}};
  const std::string path_ = httpd_.make_writable("files") + "/file";
};

INSTANTIATE_TEST_SUITE_P(By, ReplyFile, testing::ValuesIn(ways()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ReplyFile, ThatBecomesShorterBreaksItsOwnReplyOnly) {
  httpd_.expect_log("PH0360");
  httpd_.tolerate_log("AH10298");  // of mod_deflate
  HttpClient other = httpd_.client();
  EXPECT_EQ(other.get("/other").body, "body");
  std::size_t received = 0;
  const auto cut = [&](std::size_t bytes) {
    if (received == 0) fs::resize_file(path_, kBytesLeft);
    received += bytes;
  };
  EXPECT_NE(download(httpd_.endpoint(), "/file", GetParam().protocol, cut), CURLE_OK);
  EXPECT_LT(received, kFileBytes);
  httpd_.wait_for_log("has become shorter while it was sent");
  const Response next = other.get("/other");
  EXPECT_EQ(next.body, "body");
  EXPECT_TRUE(next.on_kept_connection);
  httpd_.stop();
  EXPECT_EQ(count(httpd_.log(), "PH0360"), 1);
}

TEST_P(ReplyFile, IsSentToItsEnd) {
  std::size_t received = 0;
  const auto add = [&](std::size_t bytes) { received += bytes; };
  EXPECT_EQ(download(httpd_.endpoint(), "/file", GetParam().protocol, add), CURLE_OK);
  EXPECT_GE(received, kFileBytes);
}

// The size that such a file has for stat() says nothing.
TEST(FileOfTheKernel, IsReadByTheApplication) {
  for (const std::string path : {"/proc/version", "/sys/devices/system/cpu/online"}) {
    std::ifstream file(path);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const Httpd httpd("SetEnv DOWNLOAD " + path + "\n" + kScripts);
    EXPECT_EQ(httpd.get("/file").body, text) << path;
  }
}

}  // namespace
}  // namespace pyhost::test
