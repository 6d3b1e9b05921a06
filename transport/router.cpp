#include "transport/router.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace cafmcp::transport {

void router::route::set(http::verb method, handler f) {
  const auto same = [method](const auto& entry) { return entry.first == method; };
  if (const auto hit = std::find_if(methods.begin(), methods.end(), same); hit != methods.end())
    hit->second = std::move(f);
  else
    methods.emplace_back(method, std::move(f));
}

const handler* router::route::get(http::verb method) const noexcept {
  for (const auto& [verb, f] : methods)
    if (verb == method)
      return &f;
  return nullptr;
}

std::string router::route::allowed() const {
  std::string out = "OPTIONS";
  const auto append = [&out](http::verb method) {
    const auto name = http::to_string(method);
    out.append(", ").append(name.data(), name.size());
  };
  for (const auto& entry : methods)
    if (entry.first != http::verb::options)
      append(entry.first);
  if (get(http::verb::get) != nullptr && get(http::verb::head) == nullptr)
    append(http::verb::head);
  return out;
}

router& router::add(http::verb method, std::string_view path, handler f) {
  CAFMCP_ASSERT(path.starts_with('/'));
  exact_[std::string{path}].set(method, std::move(f));
  return *this;
}

router& router::add_prefix(http::verb method, std::string_view prefix, handler f) {
  CAFMCP_ASSERT(prefix.starts_with('/') && prefix.ends_with('/'));
  auto hit =
      std::find_if(prefixes_.begin(), prefixes_.end(), [&](const auto& p) { return p.first == prefix; });
  if (hit == prefixes_.end()) {
    const auto longer = [&](const auto& p) { return p.first.size() < prefix.size(); };
    hit = prefixes_.emplace(std::find_if(prefixes_.begin(), prefixes_.end(), longer), std::string{prefix},
                            route{});
  }
  hit->second.set(method, std::move(f));
  return *this;
}

router& router::json_rpc(std::string_view path) {
  exact_[std::string{path}].json_rpc = true;
  return *this;
}

bool router::is_json_rpc(std::string_view path) const noexcept {
  const auto hit = exact_.find(path);
  return hit != exact_.end() && hit->second.json_rpc;
}

const router::route* router::lookup(request& req) const noexcept {
  if (const auto hit = exact_.find(req.path); hit != exact_.end())
    return &hit->second;
  for (const auto& [prefix, r] : prefixes_) {
    if (!req.path.starts_with(prefix))
      continue;
    req.tail = req.path.substr(prefix.size());
    return &r;
  }
  return nullptr;
}

const handler* router::find(request& req, response& res) const {
  if (req.path == "*") {
    res.status = 204;
    res.header("Allow", "GET, HEAD, POST, DELETE, OPTIONS");
    return nullptr;
  }
  const auto* r = lookup(req);
  if (r == nullptr) {
    res.fail(404, "not_found", "there is nothing at this path; check the URL");
    return nullptr;
  }
  if (const auto* f = r->get(req.method))
    return f;
  if (req.method == http::verb::head)
    if (const auto* f = r->get(http::verb::get))
      return f;
  if (const auto* f = r->get(any))
    return f;
  res.header("Allow", r->allowed());
  if (req.method == http::verb::options)
    res.status = 204;
  else
    res.fail(405, "method_not_allowed",
             "this path does not take this method; the Allow header lists those it takes");
  return nullptr;
}

}  // namespace cafmcp::transport
