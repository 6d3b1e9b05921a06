#include "cluster/runtime/link/link_error.hpp"

#include <caf/all.hpp>

#include "cluster/wire/reader.hpp"
#include "cluster/wire/writer.hpp"

namespace cafmcp::cluster {

namespace {

constexpr std::size_t max_text_bytes = 256;

struct error_body {
  std::uint8_t code = 0;
  std::uint64_t category = 0;
  std::string text;
};

template <class F>
typename F::result_type inspect(F& f, error_body& x) {
  return f(x.code, x.category, x.text);
}

}  // namespace

std::string to_string(link_error code) {
  switch (code) {
    case link_error::closed:
      return "closed";
    case link_error::silent:
      return "silent";
    case link_error::protocol:
      return "protocol";
    case link_error::refused_type:
      return "refused_type";
    case link_error::overloaded:
      return "overloaded";
    case link_error::no_such_actor:
      return "no_such_actor";
    case link_error::too_large:
      return "too_large";
    case link_error::expired:
      return "expired";
    case link_error::superseded:
      return "superseded";
    case link_error::not_linked:
      return "not_linked";
    case link_error::refused:
      return "refused";
  }
  return "unknown";
}

caf::error make_link_error(link_error code, const std::string& text) {
  return caf::make_error(code, to_string(code) + (text.empty() ? "" : ": " + text));
}

bool is(const caf::error& e, link_error code) {
  return e && e == code;
}

void encode_error(std::string& out, const caf::error& e) {
  error_body body;
  if (e) {  // CAF 0.17: code() of an empty error reads a null pointer
    body.code = e.code();
    body.category = static_cast<std::uint64_t>(e.category());
    if (e.context().size() > 0 && e.context().match_element<std::string>(0))
      body.text = e.context().get_as<std::string>(0).substr(0, max_text_bytes);
  }
  wire::writer{out}.message(body);
}

std::string error_answer(const caf::error& e) {
  std::string out;
  wire::put_varint(out, answer_error);
  encode_error(out, e);
  return out;
}

bool decode_error(std::string_view in, caf::error& out) {
  error_body body;
  if (!wire::reader{in}.message(body))
    return false;
  const auto category = static_cast<caf::atom_value>(body.category);
  if (body.code == 0)
    out = {};
  else if (body.text.empty())
    out = caf::error{body.code, category};
  else
    out = caf::error{body.code, category, caf::make_message(body.text.substr(0, max_text_bytes))};
  return true;
}

}  // namespace cafmcp::cluster
