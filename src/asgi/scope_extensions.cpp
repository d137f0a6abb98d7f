// The extensions that a scope has.

#include <algorithm>

#include "asgi/event_fields.h"
#include "asgi/request_target.h"
#include "asgi/scope.h"
#include "asgi/scope_facts.h"
#include "asgi/tls_extension.h"

namespace pyhost::asgi {

using gateway::EnvironEntry;
using gateway::EnvironKey;
using python::Ref;

namespace {

// As WSGI has it (PEP 3333, native strings), but for what only WSGI needs.
Ref environ_of(const gateway::RequestHead& head) {
  Ref environ = Ref::steal(PyDict_New());
  for (const EnvironEntry& entry : head.environ) {
    const std::string_view name =
        entry.key == EnvironKey::other ? entry.name : gateway::name_of(entry.key);
    const Ref key = latin1_of(name);
    if (!environ || !key || !set(environ.get(), key, latin1_of(entry.value))) return {};
  }
  return environ;
}

}  // namespace

// What a HTTP/1.1 client makes of a reply before the reply, nobody knows.
Ref ScopeFactory::http_extensions(const ScopeFacts& facts) const {
  const Ref& files = names_->http_response_pathsend;
  const Ref& ranges = names_->http_response_zerocopysend;
  if (http_version_of(facts.protocol) != "2") return extensions({&files, &ranges});
  const Ref& hints = names_->http_response_early_hint;
  if (!facts.takes_trailers) return extensions({&files, &ranges, &hints});
  return extensions({&files, &ranges, &hints, &names_->http_response_trailers});
}

// All extensions of a scope.
Ref ScopeFactory::extensions(std::initializer_list<const Ref*> names) {
  Ref extensions = Ref::steal(PyDict_New());
  const bool complete = extensions && std::ranges::all_of(names, [&](const Ref* name) {
                          return set(extensions.get(), *name, Ref::steal(PyDict_New()));
                        });
  return complete ? std::move(extensions) : Ref();
}

// Those that are of httpd's own making. False with an exception pending.
bool ScopeFactory::add_own_extensions(PyObject* extensions, const ScopeFacts& facts,
                                      const gateway::RequestHead& head) const {
  if (!set(extensions, names_->pyhost, identity_of(facts))) return false;
  const TlsFacts tls(head);
  const bool has_tls = scopes_.tls && !tls.protocol.empty();
  if (has_tls && !set(extensions, names_->tls, tls_extension(tls))) return false;
  return !scopes_.environ || set(extensions, names_->apache, apache_extension(facts, head));
}

Ref ScopeFactory::apache_extension(const ScopeFacts& facts,
                                   const gateway::RequestHead& head) const {
  Ref extension = Ref::steal(PyDict_New());
  const bool complete = extension && set(extension.get(), names_->environ, environ_of(head)) &&
                        set(extension.get(), names_->request_id, latin1_of(facts.request_id));
  return complete ? std::move(extension) : Ref();
}

// What the logs of httpd call the request by; there is no environ to have it.
Ref ScopeFactory::identity_of(const ScopeFacts& facts) const {
  Ref identity = Ref::steal(PyDict_New());
  const auto add = [&identity](const Ref& name, std::string_view id) {
    return id.empty() || set(identity.get(), name, latin1_of(id));
  };
  const bool complete = identity && add(names_->request_id, facts.request_id) &&
                        add(names_->trace_id, facts.trace_id) &&
                        add(names_->span_id, facts.span_id);
  return complete ? std::move(identity) : Ref();
}

}  // namespace pyhost::asgi
