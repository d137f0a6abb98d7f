#include "asgi/scope.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "asgi/event_fields.h"
#include "asgi/request_target.h"
#include "asgi/scope_facts.h"
#include "asgi/web_socket_offer.h"
#include "python/error.h"

namespace pyhost::asgi {

using gateway::EnvironEntry;
using gateway::EnvironKey;
using python::Attached;
using python::Ref;

namespace {

constexpr char kWebSocketSpecVersion[] = "2.5";
constexpr char kLifespanSpecVersion[] = "2.0";
constexpr char kVersion[] = "3.0";

constexpr std::string_view kHeaderPrefix = "HTTP_";

// Longer values are rarely the same twice, and are not worth keeping alive.
constexpr std::size_t kRememberedBytesMax = 512;

Ref bytes_of(std::string_view text) {
  return Ref::steal(PyBytes_FromStringAndSize(text.data(), Py_ssize_t(text.size())));
}

std::string_view view_of(PyObject* bytes) noexcept {
  return {PyBytes_AS_STRING(bytes), std::size_t(PyBytes_GET_SIZE(bytes))};
}

// The percent-encoding has been decoded; bytes that are no UTF-8 become U+FFFD.
Ref path_of(std::string_view bytes) {
  return Ref::steal(PyUnicode_DecodeUTF8(bytes.data(), Py_ssize_t(bytes.size()), "replace"));
}

// "HTTP_X_REQUEST_ID" -> "x-request-id"; empty when it is no header's.
std::string header_name_of(std::string_view environ_name) {
  if (environ_name == "CONTENT_TYPE") return "content-type";
  if (environ_name == "CONTENT_LENGTH") return "content-length";
  if (!environ_name.starts_with(kHeaderPrefix)) return "";
  std::string name(environ_name.substr(kHeaderPrefix.size()));
  std::ranges::transform(name, name.begin(), [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return name;
}

// (host, port), or (path, None) of a unix socket, which has no port.
Ref address_of(std::string_view host, std::string_view port) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_number = error == std::errc() && end == port.data() + port.size() && number != 0;
  const Ref name = latin1_of(host);
  const Ref place = is_number ? Ref::steal(PyLong_FromUnsignedLong(number)) : Ref::share(Py_None);
  return name && place ? Ref::steal(PyTuple_Pack(2, name.get(), place.get())) : Ref();
}

}  // namespace

base::Result<ScopeFactory> ScopeFactory::make(Attached& py, const Names& names,
                                              const gateway::Scopes& scopes) {
  ScopeFactory factory(names, scopes);
  if (!factory.fill_templates() || !factory.fill_names()) {
    return base::fail(python::PythonError::take(py).summary(py));
  }
  return factory;
}

bool ScopeFactory::fill_templates() {
  const auto versions = [](const char* spec) {
    return Ref::steal(Py_BuildValue("{s:s,s:s}", "version", kVersion, "spec_version", spec));
  };
  http_version_template_ = versions(name_of(scopes_.http_spec));
  lifespan_version_template_ = versions(kLifespanSpecVersion);
  web_socket_version_template_ = versions(kWebSocketSpecVersion);
  http_template_ = template_of(names_->http);
  web_socket_template_ = template_of(names_->websocket);
  return http_version_template_ && lifespan_version_template_ && web_socket_version_template_ &&
         http_template_ && web_socket_template_;
}

// What every request has is present from the start: a copy needs no growing for it.
Ref ScopeFactory::template_of(const Ref& type) const {
  Ref scope = Ref::steal(PyDict_New());
  if (!scope || !set(scope.get(), names_->type, type)) return {};
  for (const Ref* key : {&names_->asgi, &names_->http_version, &names_->server, &names_->client,
                         &names_->scheme, &names_->root_path, &names_->path, &names_->raw_path,
                         &names_->query_string, &names_->headers, &names_->extensions}) {
    if (PyDict_SetItem(scope.get(), key->get(), Py_None) != 0) return {};
  }
  return scope;
}

bool ScopeFactory::fill_names() {
  for (std::size_t i = 0; i < gateway::kEnvironKeyCount; ++i) {
    const std::string name = header_name_of(name_of(EnvironKey(i)));
    if (!name.empty()) header_names_[i] = bytes_of(name);
  }
  return PyErr_Occurred() == nullptr;
}

// Null without an exception when the entry is no header.
Ref ScopeFactory::header_of(const EnvironEntry& entry) {
  if (entry.key == EnvironKey::other) {
    const std::string text = header_name_of(entry.name);
    if (text.empty()) return {};
    const Ref name = bytes_of(text);
    const Ref value = bytes_of(entry.value);
    return name && value ? Ref::steal(PyTuple_Pack(2, name.get(), value.get())) : Ref();
  }
  const Ref& name = header_names_[std::size_t(entry.key)];
  if (!name) return {};
  Ref& last = last_headers_[std::size_t(entry.key)];
  if (last && view_of(PyTuple_GET_ITEM(last.get(), 1)) == entry.value) return last.clone();
  const Ref value = bytes_of(entry.value);
  Ref header = Ref::steal(value ? PyTuple_Pack(2, name.get(), value.get()) : nullptr);
  if (header && entry.value.size() <= kRememberedBytesMax) last = header.clone();
  return header;
}

// In the order of their arrival. A later entry of a name takes the place of an earlier one, as it
// does in environ.
Ref ScopeFactory::headers_of(const gateway::RequestHead& head) {
  Ref list = Ref::steal(PyList_New(0));
  if (!list) return {};
  for (const EnvironEntry& entry : head.environ) {
    const Ref header = header_of(entry);
    if (!header && PyErr_Occurred() != nullptr) return {};
    if (header && !put_header(list.get(), header)) return {};
  }
  return list;
}

bool ScopeFactory::put_header(PyObject* list, const Ref& header) {
  const std::string_view name = view_of(PyTuple_GET_ITEM(header.get(), 0));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject* const other = PyList_GET_ITEM(list, i);
    if (view_of(PyTuple_GET_ITEM(other, 0)) != name) continue;
    return PyList_SetItem(list, i, header.clone().release()) == 0;
  }
  return PyList_Append(list, header.get()) == 0;
}

bool ScopeFactory::set_target(PyObject* scope, const ScopeFacts& facts) const {
  std::string path(facts.script_name);
  path += facts.path_info;
  return set(scope, names_->path, path_of(path)) &&
         set(scope, names_->root_path, path_of(facts.script_name)) &&
         set(scope, names_->raw_path, bytes_of(raw_path_of(facts.uri))) &&
         set(scope, names_->query_string, bytes_of(facts.query));
}

bool ScopeFactory::set_ends(PyObject* scope, const ScopeFacts& facts) {
  const bool is_last =
      last_server_ && last_server_text_ == facts.server && last_server_port_ == facts.server_port;
  if (!is_last) {
    last_server_ = address_of(facts.server, facts.server_port);
    last_server_text_ = facts.server;
    last_server_port_ = facts.server_port;
  }
  return set(scope, names_->server, last_server_) &&
         set(scope, names_->client, address_of(facts.client, facts.client_port));
}

Ref ScopeFactory::build(Attached&, const gateway::RequestHead& head) {
  const ScopeFacts facts(head);
  Ref scope = Ref::steal(PyDict_Copy(http_template_.get()));
  if (!scope) return {};
  PyObject* const dict = scope.get();
  const bool complete =
      set(dict, names_->asgi, Ref::steal(PyDict_Copy(http_version_template_.get()))) &&
      set(dict, names_->scheme, head.https ? names_->https : names_->http) &&
      set(dict, names_->method, method_of(facts.method)) &&
      fill_common(dict, facts, head, http_extensions(facts));
  return complete ? std::move(scope) : Ref();
}

Ref ScopeFactory::build_web_socket(Attached&, const gateway::RequestHead& head) {
  const ScopeFacts facts(head);
  Ref scope = Ref::steal(PyDict_Copy(web_socket_template_.get()));
  if (!scope) return {};
  PyObject* const dict = scope.get();
  const bool complete =
      set(dict, names_->asgi, Ref::steal(PyDict_Copy(web_socket_version_template_.get()))) &&
      set(dict, names_->scheme, head.https ? names_->wss : names_->ws) &&
      set(dict, names_->subprotocols, subprotocols_of(head)) &&
      fill_common(dict, facts, head, extensions({&names_->websocket_http_response}));
  return complete ? std::move(scope) : Ref();
}

bool ScopeFactory::fill_common(PyObject* scope, const ScopeFacts& facts,
                               const gateway::RequestHead& head, const Ref& extensions) {
  const std::string_view version = http_version_of(facts.protocol);
  const Ref& version_text = version == "2"     ? names_->v2
                            : version == "1.0" ? names_->v1_0
                                               : names_->v1_1;
  return extensions && add_own_extensions(extensions.get(), facts, head) &&
         set(scope, names_->extensions, extensions) &&
         set(scope, names_->http_version, version_text) && set_ends(scope, facts) &&
         set_target(scope, facts) && set(scope, names_->headers, headers_of(head));
}

// Names of subprotocols are tokens; what else a client sends is no reason to fail.
Ref ScopeFactory::subprotocols_of(const gateway::RequestHead& head) const {
  Ref list = Ref::steal(PyList_New(0));
  for (const std::string_view name : asgi::subprotocols_of(head)) {
    const Ref text = list ? latin1_of(name) : Ref();
    if (!text || PyList_Append(list.get(), text.get()) != 0) return {};
  }
  return list;
}

// Most requests have the one of the last.
Ref ScopeFactory::method_of(std::string_view method) {
  if (last_method_ && last_method_text_ == method) return last_method_.clone();
  last_method_ = latin1_of(method);
  last_method_text_ = method;
  return last_method_.clone();
}

Ref ScopeFactory::build_lifespan(Attached&) const {
  Ref scope = Ref::steal(PyDict_New());
  const bool complete =
      scope && set(scope.get(), names_->type, names_->lifespan) &&
      set(scope.get(), names_->asgi, Ref::steal(PyDict_Copy(lifespan_version_template_.get())));
  return complete ? std::move(scope) : Ref();
}

}  // namespace pyhost::asgi
