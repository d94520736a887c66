// The list of pages: as text, and as HTML to click on.
#include "base/strings.h"
#include "server/admin/page.h"

namespace sluice::server::admin {

void help_page(const Request&, AdminSource&, Reply& reply) {
  reply.body = "admin commands are:\n";
  for (const Page& page : pages()) {
    append(reply.body, "  ", page.path, page.effect == Effect::kChanges ? " (POST)" : "", ": ", page.help, "\n");
    for (const Parameter& parameter : page.parameters) {
      append(reply.body, "      ", parameter.name, ": ", parameter.help, "\n");
    }
  }
}

void home_page(const Request&, AdminSource& source, Reply& reply) {
  reply.content_type = kHtml;
  reply.body = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Sluice admin</title></head>\n<body>\n<h1>Sluice</h1>\n";
  append(reply.body, "<p>Up for ", source.uptime_s(), " s.</p>\n<table>\n");
  for (const Page& page : pages()) {
    const std::string_view name = page.path;
    // Links only: what changes something needs a POST, that is, a button.
    const std::string what = page.effect == Effect::kShows
                                 ? cat("<a href=\"", name, "\">", name, "</a>")
                                 : cat("<form method=\"post\" action=\"", name, "\"><button>", name, "</button></form>");
    append(reply.body, "<tr><td>", what, "</td><td>", page.help, "</td></tr>\n");
  }
  reply.body += "</table>\n</body>\n</html>\n";
}

}  // namespace sluice::server::admin
