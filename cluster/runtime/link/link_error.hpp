#pragma once
// Why something between two nodes failed, as errors of CAF: the reasons of a link's end, of a request that
// got no answer, and of monitors that fire. Values; thread-safe.

#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace cafmcp::cluster {

/// The codes. Their numbers travel between nodes: they are only ever added to.
enum class link_error : std::uint8_t {
  closed = 1,     ///< the connection is gone: the peer died, or the network closed it
  silent,         ///< the peer was not heard for too long
  protocol,       ///< the peer sent what it must not
  refused_type,   ///< no message of the closed list, or none that the other side knows
  overloaded,     ///< a bound was reached; try again later
  no_such_actor,  ///< the actor is gone, or was never shown to this peer
  too_large,      ///< the message is larger than its type or the link allows
  expired,        ///< nobody answered within the link's longest wait
  superseded,     ///< a newer connection to the same node took over
  not_linked,     ///< there is no link to that node now; try again later
  refused,        ///< the other side doesn't want this link; the text says why
};

/// The name of a code.
std::string to_string(link_error code);

/// An error whose text is the code's name and, if there is one, `text`.
caf::error make_link_error(link_error code, const std::string& text = {});

/// Whether `e` is that error.
bool is(const caf::error& e, link_error code);

/// What an answer holds if it is no message of the list.
inline constexpr std::uint64_t answer_empty = 0;
inline constexpr std::uint64_t answer_error = 1;

/// Such an answer with an error.
std::string error_answer(const caf::error& e);

/// Appends what travels of an error: code, category and a text of at most 256 bytes.
void encode_error(std::string& out, const caf::error& e);

/// The error in `in`, which may be none (then: an empty error). False: the bytes are no error.
bool decode_error(std::string_view in, caf::error& out);

}  // namespace cafmcp::cluster

CAF_ERROR_CODE_ENUM(cafmcp::cluster::link_error, "link")
