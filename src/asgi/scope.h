// Builds the scopes of exchanges and lifespans.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "asgi/names.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/event_loops.h"
#include "pyhost/gateway/request_head.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::asgi {

struct ScopeFacts;

// One per interpreter, whose lock protects it. What no request changes comes from a template that
// is copied; what is the same as last time, such as a browser's headers or an address, is the same
// object again: none of them can be changed.
class ScopeFactory {
 public:
  // The names live as long.
  static base::Result<ScopeFactory> make(python::Attached& py, const Names& names,
                                         const gateway::Scopes& scopes);

  // A new scope with everything but the state (ASGI HTTP, "HTTP Connection Scope"); null with an
  // exception pending.
  python::Ref build(python::Attached& py, const gateway::RequestHead& head);

  // The same of a WebSocket ("WebSocket Connection Scope").
  python::Ref build_web_socket(python::Attached& py, const gateway::RequestHead& head);

  // The same of a lifespan.
  python::Ref build_lifespan(python::Attached& py) const;

 private:
  ScopeFactory(const Names& names, const gateway::Scopes& scopes) noexcept
      : names_(&names), scopes_(scopes) {}

  bool fill_templates();
  python::Ref template_of(const python::Ref& type) const;
  bool fill_common(PyObject* scope, const ScopeFacts& facts, const gateway::RequestHead& head,
                   const python::Ref& extensions);
  python::Ref identity_of(const ScopeFacts& facts) const;
  python::Ref subprotocols_of(const gateway::RequestHead& head) const;
  bool fill_names();
  static bool put_header(PyObject* list, const python::Ref& header);
  python::Ref header_of(const gateway::EnvironEntry& entry);
  python::Ref headers_of(const gateway::RequestHead& head);
  python::Ref http_extensions(const ScopeFacts& facts) const;
  bool add_own_extensions(PyObject* extensions, const ScopeFacts& facts,
                          const gateway::RequestHead& head) const;
  python::Ref apache_extension(const ScopeFacts& facts, const gateway::RequestHead& head) const;
  static python::Ref extensions(std::initializer_list<const python::Ref*> names);
  python::Ref method_of(std::string_view method);
  bool set_target(PyObject* scope, const ScopeFacts& facts) const;
  bool set_ends(PyObject* scope, const ScopeFacts& facts);

  const Names* names_;
  gateway::Scopes scopes_;
  python::Ref http_template_, web_socket_template_;
  python::Ref http_version_template_, web_socket_version_template_;  // of "asgi"
  python::Ref lifespan_version_template_;
  std::array<python::Ref, gateway::kEnvironKeyCount> header_names_;  // bytes; null: no header
  std::array<python::Ref, gateway::kEnvironKeyCount> last_headers_;  // (name, value)
  // Of the last request.
  std::string last_method_text_, last_server_text_, last_server_port_;
  python::Ref last_method_, last_server_;
};

}  // namespace pyhost::asgi
