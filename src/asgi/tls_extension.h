// The extension tls of a scope (ASGI TLS).
#pragma once

#include <optional>
#include <string_view>

#include "pyhost/gateway/request_head.h"
#include "python/ref.h"

namespace pyhost::asgi {

// What mod_ssl has said of a connection: variables of its own names, as the environ has them.
struct TlsFacts {
  explicit TlsFacts(const gateway::RequestHead& head) noexcept;

  std::string_view server_cert, client_cert, client_name, client_verify, protocol, cipher;
  const gateway::RequestHead* head;  // has the client's chain
};

// "TLSv1.3" is 0x0304; nothing for what is none.
std::optional<int> tls_version_of(std::string_view protocol) noexcept;
// By OpenSSL's name, as IANA numbers it; nothing for one that is not known.
std::optional<int> cipher_suite_of(std::string_view cipher) noexcept;
// What was wrong with the client's certificate; empty when nothing was, or there is none.
std::string_view client_cert_error_of(std::string_view verify) noexcept;

// The extension; null with an exception pending.
python::Ref tls_extension(const TlsFacts& facts);

}  // namespace pyhost::asgi
