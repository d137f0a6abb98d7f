#include "httpd/digest_login.h"

#include "httpd/digest.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

std::string quoted(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + '"';
}

}  // namespace

int digest_login(const Httpd& httpd, const std::string& path, std::string_view user,
                 std::string_view password) {
  const std::string challenge = httpd.get(path).header("WWW-Authenticate").value_or("");
  const auto part = [&](std::string_view name) {
    return std::string(between(challenge, std::string(name) + "=\"", "\""));
  };
  const std::string realm = part("realm");
  const std::string nonce = part("nonce");
  const std::string who = std::string(user) + ":" + realm + ":" + std::string(password);
  const std::string proof =
      md5_of(md5_of(who) + ":" + nonce + ":00000001:abc:auth:" + md5_of("GET:" + path));
  const std::string answer = "Digest " + quoted("username", user) + ", " + quoted("realm", realm) +
                             ", " + quoted("nonce", nonce) + ", " + quoted("uri", path) +
                             ", algorithm=MD5, qop=auth, nc=00000001, " + quoted("cnonce", "abc") +
                             ", " + quoted("response", proof);
  return httpd.request({.path = path, .headers = {{"Authorization", answer}}}).status;
}

}  // namespace pyhost::test
