#include "asgi/tls_extension.h"

#include <array>
#include <utility>

namespace pyhost::asgi {

using gateway::EnvironEntry;
using python::Ref;

namespace {

constexpr std::string_view kChainPrefix = "SSL_CLIENT_CERT_CHAIN_";

struct CipherSuite {
  std::string_view name;
  int number;
};

// Those that OpenSSL 3 still has, but for what is deprecated or nobody has compiled in.
constexpr auto kCipherSuites = std::to_array<CipherSuite>({
    {"TLS_AES_128_GCM_SHA256", 0x1301},
    {"TLS_AES_256_GCM_SHA384", 0x1302},
    {"TLS_CHACHA20_POLY1305_SHA256", 0x1303},
    {"TLS_AES_128_CCM_SHA256", 0x1304},
    {"TLS_AES_128_CCM_8_SHA256", 0x1305},
    {"ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c},
    {"ECDHE-RSA-AES128-GCM-SHA256", 0xc02f},
    {"ECDHE-RSA-AES256-GCM-SHA384", 0xc030},
    {"ECDHE-RSA-CHACHA20-POLY1305", 0xcca8},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", 0xcca9},
    {"DHE-RSA-CHACHA20-POLY1305", 0xccaa},
    {"DHE-RSA-AES128-GCM-SHA256", 0x009e},
    {"DHE-RSA-AES256-GCM-SHA384", 0x009f},
    {"ECDHE-ECDSA-AES128-CCM", 0xc0ac},
    {"ECDHE-ECDSA-AES256-CCM", 0xc0ad},
    {"ECDHE-ECDSA-AES128-CCM8", 0xc0ae},
    {"ECDHE-ECDSA-AES256-CCM8", 0xc0af},
    {"DHE-RSA-AES128-CCM", 0xc09e},
    {"DHE-RSA-AES256-CCM", 0xc09f},
    {"ECDHE-ECDSA-AES128-SHA256", 0xc023},
    {"ECDHE-ECDSA-AES256-SHA384", 0xc024},
    {"ECDHE-RSA-AES128-SHA256", 0xc027},
    {"ECDHE-RSA-AES256-SHA384", 0xc028},
    {"ECDHE-ECDSA-AES128-SHA", 0xc009},
    {"ECDHE-ECDSA-AES256-SHA", 0xc00a},
    {"ECDHE-RSA-AES128-SHA", 0xc013},
    {"ECDHE-RSA-AES256-SHA", 0xc014},
    {"DHE-RSA-AES128-SHA256", 0x0067},
    {"DHE-RSA-AES256-SHA256", 0x006b},
    {"DHE-RSA-AES128-SHA", 0x0033},
    {"DHE-RSA-AES256-SHA", 0x0039},
    {"AES128-GCM-SHA256", 0x009c},
    {"AES256-GCM-SHA384", 0x009d},
    {"AES128-CCM", 0xc09c},
    {"AES256-CCM", 0xc09d},
    {"AES128-SHA256", 0x003c},
    {"AES256-SHA256", 0x003d},
    {"AES128-SHA", 0x002f},
    {"AES256-SHA", 0x0035},
});

Ref text_of(std::string_view text) {
  return Ref::steal(PyUnicode_DecodeUTF8(text.data(), Py_ssize_t(text.size()), "replace"));
}

// None where there is nothing.
Ref text_or_none(std::string_view text) {
  return text.empty() ? Ref::share(Py_None) : text_of(text);
}

Ref number_or_none(std::optional<int> number) {
  return number ? Ref::steal(PyLong_FromLong(*number)) : Ref::share(Py_None);
}

// The client's own certificate first.
Ref chain_of(const TlsFacts& facts) {
  Ref chain = Ref::steal(PyList_New(0));
  const auto add = [&chain](std::string_view pem) {
    const Ref text = text_of(pem);
    return text && PyList_Append(chain.get(), text.get()) == 0;
  };
  if (!chain || (!facts.client_cert.empty() && !add(facts.client_cert))) return {};
  for (const EnvironEntry& entry : facts.head->environ) {
    if (!entry.name.starts_with(kChainPrefix) || entry.value == facts.client_cert) continue;
    if (!add(entry.value)) return {};
  }
  return chain;
}

}  // namespace

TlsFacts::TlsFacts(const gateway::RequestHead& request_head) noexcept : head(&request_head) {
  const auto places = std::to_array<std::pair<std::string_view, std::string_view*>>(
      {{"SSL_SERVER_CERT", &server_cert},
       {"SSL_CLIENT_CERT", &client_cert},
       {"SSL_CLIENT_S_DN", &client_name},
       {"SSL_CLIENT_VERIFY", &client_verify},
       {"SSL_PROTOCOL", &protocol},
       {"SSL_CIPHER", &cipher}});
  for (const EnvironEntry& entry : head->environ) {
    if (entry.key != gateway::EnvironKey::other) continue;
    for (const auto& [name, place] : places) {
      if (entry.name == name) *place = entry.value;
    }
  }
}

std::optional<int> tls_version_of(std::string_view protocol) noexcept {
  constexpr auto kVersions = std::to_array<std::pair<std::string_view, int>>({{"TLSv1.3", 0x0304},
                                                                              {"TLSv1.2", 0x0303},
                                                                              {"TLSv1.1", 0x0302},
                                                                              {"TLSv1", 0x0301},
                                                                              {"SSLv3", 0x0300}});
  for (const auto& [name, version] : kVersions) {
    if (name == protocol) return version;
  }
  return std::nullopt;
}

std::optional<int> cipher_suite_of(std::string_view cipher) noexcept {
  for (const CipherSuite& suite : kCipherSuites) {
    if (suite.name == cipher) return suite.number;
  }
  return std::nullopt;
}

std::string_view client_cert_error_of(std::string_view verify) noexcept {
  constexpr std::string_view kFailed = "FAILED:";
  if (verify.starts_with(kFailed)) return verify.substr(kFailed.size());
  return verify == "GENEROUS" ? "it was not verified" : "";
}

Ref tls_extension(const TlsFacts& facts) {
  const Ref server = text_or_none(facts.server_cert);
  const Ref chain = chain_of(facts);
  const Ref name = text_or_none(facts.client_name);
  const Ref error = text_or_none(client_cert_error_of(facts.client_verify));
  const Ref version = number_or_none(tls_version_of(facts.protocol));
  const Ref suite = number_or_none(cipher_suite_of(facts.cipher));
  if (!server || !chain || !name || !error || !version || !suite) return {};
  return Ref::steal(Py_BuildValue("{s:O,s:O,s:O,s:O,s:O,s:O}", "server_cert", server.get(),
                                  "client_cert_chain", chain.get(), "client_cert_name", name.get(),
                                  "client_cert_error", error.get(), "tls_version", version.get(),
                                  "cipher_suite", suite.get()));
}

}  // namespace pyhost::asgi
