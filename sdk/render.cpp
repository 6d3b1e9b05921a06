#include "sdk/render.hpp"

#include <stdexcept>

#include "mcp/fast_result.hpp"

namespace cafmcp::sdk::detail {

namespace {

using mcp::method;

// An error of a handler, where results can't say that they are one.
mcp::rpc_error rpc_error_of(const mcp::call& what, error e) {
  switch (e.code) {
    case errc::not_found:
      if (what.method == method::resources_read) {
        auto out = mcp::resource_not_found(what.name);
        out.message = std::move(e.message);
        return out;
      }
      [[fallthrough]];
    case errc::invalid:
      return {mcp::code::invalid_params, std::move(e.message), {}};
    default:
      return {mcp::code::internal_error, std::move(e.message), retryable(e) ? R"({"retryable":true})" : ""};
  }
}

// Whether a result is one text, which has a faster way.
const mcp::text_content* only_text(const mcp::call_result& x) {
  if (x.contents.size() != 1 || !x.meta.is_null() || !x.structured_content.is_null())
    return nullptr;
  const auto* piece = std::get_if<mcp::text_content>(&x.contents.front());
  return piece != nullptr && piece->annotations.is_null() && piece->meta.is_null() ? piece : nullptr;
}

struct writer {
  const mcp::call& what;
  const offer_info& called;

  std::string operator()(answer::text&& x) const {
    switch (what.method) {
      case method::tools_call:
        return mcp::finish_text(what, x.body, false, x.structured);
      case method::resources_read:
        return (*this)(mcp::read_result{{{.data = std::move(x.body)}}, {}});
      case method::prompts_get:
        return (*this)(mcp::prompt_result{{}, {{"user", mcp::text_content{std::move(x.body), {}, {}}}}, {}});
      default:
        return (*this)(mcp::completion_result{{std::move(x.body)}, {}, false});
    }
  }

  std::string operator()(mcp::call_result&& x) const {
    expect(method::tools_call);
    const auto* piece = only_text(x);
    return piece != nullptr ? mcp::finish_text(what, piece->text, x.is_error) : mcp::finish(what, x);
  }

  std::string operator()(mcp::read_result&& x) const {
    expect(method::resources_read);
    for (auto& contents : x.contents) {
      if (contents.uri.empty())
        contents.uri = what.name;
      if (contents.mime_type.empty())
        contents.mime_type = called.mime_type;
    }
    return mcp::finish(what, x);
  }

  std::string operator()(mcp::prompt_result&& x) const {
    expect(method::prompts_get);
    if (x.description.empty())
      x.description = called.description;
    return mcp::finish(what, x);
  }

  std::string operator()(mcp::completion_result&& x) const {
    expect(method::completion_complete);
    return mcp::finish(what, x);
  }

  std::string operator()(error&& e) const {
    if (e.message.empty())
      e.message = to_string(e.code);
    if (what.method == method::tools_call)
      return mcp::finish_text(what, e.message, true);
    return mcp::finish(what, rpc_error_of(what, std::move(e)));
  }

  std::string operator()(mcp::rpc_error&& e) const { return mcp::finish(what, e); }

 private:
  void expect(method m) const {
    if (what.method != m)
      throw std::invalid_argument("its handler gave an answer of another kind, that of " +
                                  std::string(mcp::to_string(m)));
  }
};

}  // namespace

std::string render(const mcp::call& what, const offer_info& called, answer said) {
  return std::visit(writer{what, called}, std::move(said.body()));
}

}  // namespace cafmcp::sdk::detail
