#include "admin/store_view.hpp"

#include "admin/drawing.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

std::string times_of(const json& times) {
  return "mean " + decimal(figure_of(times, "mean"), 2) + " ms, half within " +
         decimal(figure_of(times, "p50_within"), 2) + " ms, 99 % within " +
         decimal(figure_of(times, "p99_within"), 2) + " ms";
}

// What is fine when it is 0.
std::string trouble(const json& object, const char* key, const char* what, bool colours) {
  const auto count = number_of(object, key);
  return paint(grouped(count) + ' ' + what, count > 0 ? "31" : "", colours && count > 0);
}

}  // namespace

std::string draw_store(const json& s, bool colours) {
  const auto status = text_of(s, "status");
  const auto reason = text_of(s, "reason");
  const auto& memory = member_of(s, "memory");
  const auto& history = member_of(s, "history");
  const auto& queue = member_of(s, "queue");
  return key_line("status", paint(status, status == "ok" ? "32" : "31", colours) +
                                (reason.empty() ? "" : ": " + reason)) +
         key_line("read", decimal(100 * figure_of(s, "loaded"), 0) + " % of the file since the start") +
         key_line("sessions", grouped(number_of(s, "sessions")) + ", and " +
                                  grouped(number_of(s, "tombstones")) + " that have ended lately") +
         key_line("on disk", in_bytes(figure_of(s, "file_bytes")) + ", log " +
                                 in_bytes(figure_of(s, "log_bytes")) + "; " +
                                 decimal(figure_of(s, "bytes_per_session"), 0) + " bytes a session") +
         key_line("in memory", "index " + in_bytes(figure_of(memory, "index_bytes")) + " (" +
                                   decimal(figure_of(memory, "index_bytes_per_session"), 0) +
                                   " bytes a session), records used last " +
                                   in_bytes(figure_of(memory, "cache_bytes"))) +
         key_line("history", grouped(number_of(history, "operations")) + " operations, " +
                                 in_bytes(figure_of(history, "bytes"))) +
         key_line("queue", grouped(number_of(queue, "operations")) + " operations, " +
                               in_bytes(figure_of(queue, "bytes"))) +
         key_line("written", grouped(number_of(s, "operations")) + " operations in " +
                                 grouped(number_of(s, "groups")) + " groups, " +
                                 decimal(figure_of(s, "operations_per_group"), 1) + " in each") +
         key_line("a commit", times_of(member_of(s, "commit_ms"))) +
         key_line("a write", times_of(member_of(s, "write_ms"))) +
         key_line("trouble", trouble(s, "refused_operations", "operations refused", colours) + ", " +
                                 trouble(s, "failed_groups", "groups failed", colours) + ", " +
                                 trouble(s, "lost_operations", "operations lost", colours) + ", " +
                                 trouble(s, "damaged_records", "records set aside", colours) + ", " +
                                 trouble(s, "gaps", "gaps in the file", colours));
}

bool is_sound(const json& found) {
  return number_of(found, "damaged_records") + number_of(found, "gaps") +
             number_of(found, "damaged_operations") ==
         0;
}

std::string draw_check(const json& found, bool colours) {
  std::string out = grouped(number_of(found, "rows")) + " records checked in " +
                    decimal(figure_of(found, "seconds"), 1) + " s: ";
  if (is_sound(found))
    return out + paint("all is well", "32", colours) + '\n';
  return out + trouble(found, "damaged_records", "damaged and set aside", colours) + ", " +
         trouble(found, "gaps", "stretches of the file that can't be read", colours) + ", " +
         trouble(found, "damaged_operations", "damaged pieces of the history", colours) +
         "\nThe node's log names them. What is lost here may be in a copy of the file.\n";
}

}  // namespace cafmcp::admin
