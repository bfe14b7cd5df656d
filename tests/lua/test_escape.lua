-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local escape = require "moonshake.escape"
local test, equal = unit.test, unit.equal

-- What a peer may put into a name, each byte value among it.
local function every_byte()
  local bytes = {}
  for code = 0, 255 do
    bytes[#bytes + 1] = string.char(code)
  end
  return table.concat(bytes)
end

local HOSTILE = {
  every_byte(), "\27]0;title\7", "a\r\nb", "\u{202E}txt.exe", "\u{200B}", "\u{FEFF}", "\u{9B}31m",
  "\u{2028}\u{2029}", "\u{2066}\u{2067}\u{2068}\u{2069}", "\u{206F}", "\u{061C}",
  "]]>", '" onload="', "::error::x", "a,line=9", "%0A", "|", "`", "<script>", "\u{FFFE}\u{FFFF}",
  "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "caf\u{E9} \u{1F600}", "",
}

-- Whether nothing in `text` moves a cursor, ends a line or turns the direction of writing.
local function is_harmless(text)
  if not utf8.len(text) then
    return false
  end
  for _, code in utf8.codes(text) do
    if code < 0x20 or code >= 0x7F and code <= 0x9F or code >= 0x200B and code <= 0x200F
      or code >= 0x2028 and code <= 0x202E or code >= 0x2060 and code <= 0x206F or code == 0xFEFF
      or code == 0x061C
    then
      return false
    end
  end
  return true
end

test("invalid UTF-8 becomes the replacement character, byte by byte", function()
  equal(escape.utf8 "a\xFFb", "a\u{FFFD}b")
  equal(escape.utf8 "\xE2\x82", "\u{FFFD}\u{FFFD}")
  equal(escape.utf8 "\xED\xA0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}", "a surrogate")
  equal(escape.utf8 "caf\u{E9}", "caf\u{E9}")
end)

test("a line shows control characters and direction marks, and leaves letters alone", function()
  equal(escape.line "\27[31mred\7", "\\x1B[31mred\\x07")
  equal(escape.line "a\r\nb\tc\0\x7F", "a\\x0D\\x0Ab\\x09c\\x00\\x7F")
  equal(escape.line "\u{202E}\u{9B}", "\\u{202E}\\u{9B}")
  equal(escape.line "caf\u{E9} \u{4E2D} \u{1F600}", "caf\u{E9} \u{4E2D} \u{1F600}")
end)

test("no hostile text gets through to a terminal, TAP or YAML", function()
  for index, text in ipairs(HOSTILE) do
    equal(is_harmless(escape.line(text)), true, "line " .. index)
    equal(is_harmless(escape.tap(text)), true, "tap " .. index)
    equal(is_harmless(escape.yaml(text)), true, "yaml " .. index)
    for _, line in ipairs(escape.lines(text)) do
      equal(is_harmless(line), true, "lines " .. index)
    end
  end
end)

test("a short text is cut between two characters, and an escape counts as what it shows", function()
  equal(escape.short "alice", "alice")
  equal(escape.short(("x"):rep(64)), ("x"):rep(64))
  equal(escape.short(("x"):rep(65)), ("x"):rep(61) .. "...")
  equal(escape.short(("\u{E9}"):rep(1000), 5), "\u{E9}\u{E9}...")
  equal(escape.short("a\27b", 6), "a\\x1Bb")
  equal(escape.short("\27\27", 7), "\\x1B...")
  equal(escape.short(("\xFF"):rep(500), 4), "\u{FFFD}...")
  for index, text in ipairs(HOSTILE) do
    equal(is_harmless(escape.short(text, 3)), true, "short " .. index)
  end
end)

test("lines are kept apart, whatever ends them", function()
  local lines = escape.lines "one\r\ntwo\n\n\tthree"
  equal(table.concat(lines, "|"), "one|two||  three")
end)

test("TAP directives and escapes lose their meaning", function()
  equal(escape.tap "a # SKIP \\ b", "a \\# SKIP \\\\ b")
end)

test("a YAML scalar reads back as the text", function()
  equal(escape.yaml 'a "b" \\ c', '"a \\"b\\" \\\\ c"')
  equal(escape.yaml "a\nb\27", '"a\\nb\\x1B"')
  equal(escape.yaml "\u{202E}", '"\\u202E"')
  equal(escape.yaml "yes", '"yes"')
end)

test("XML loses what it cannot say, and keeps the rest as it is", function()
  equal(escape.xml "a\0\8\11\12\14\27\31b", "ab")
  equal(escape.xml "\u{FFFE}\u{FFFF}\u{FFFD}\u{10FFFF}", "\u{FFFD}\u{10FFFF}")
  equal(escape.xml "\xED\xA0\x80\xFF", ("\u{FFFD}"):rep(4), "a surrogate, no UTF-8")
  equal(escape.xml "<b> & ]]> \"x\" caf\u{E9}", "&lt;b&gt; &amp; ]]&gt; \"x\" caf\u{E9}")
  equal(escape.xml "a\r\n\tb", "a&#13;\n\tb", "a bare CR would be read as LF")
  equal(escape.xml "&amp;", "&amp;amp;")
end)

test("an attribute of XML keeps its line breaks and ends at its own quote", function()
  equal(escape.xml_attribute "a\r\n\tb", "a&#13;&#10;&#9;b")
  equal(escape.xml_attribute '" x="', "&quot; x=&quot;")
  equal(escape.xml_attribute "<&>\27", "&lt;&amp;&gt;")
end)

test("HTML shows what cannot be seen, and nothing in it is markup", function()
  equal(escape.html "<b title=\"x\" id='y'>&amp;</b>",
        "&lt;b title=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;")
  equal(escape.html "a\r\n\tb\27\u{202E}\0c\u{9B}", "a\n  b\\x1B\\u{202E}\\x00c\\u{9B}")
  equal(escape.html "\xFF\u{FFFE}caf\u{E9}\u{1F319}", "\u{FFFD}caf\u{E9}\u{1F319}")
end)

test("a path in a page leads to that file, and nowhere else", function()
  equal(escape.url_path "../pcap/a b.pcapng", "../pcap/a%20b.pcapng")
  equal(escape.url_path "javascript:alert(1)", "javascript%3Aalert%281%29")
  equal(escape.url_path "//example.org/x?y#z", "/.//example.org/x%3Fy%23z")
  equal(escape.url_path "a%2e\"\n\u{E9}", "a%252e%22%0A%C3%A9")
end)

test("a message for GitHub is one line that reads back as the text", function()
  equal(escape.github "50%\r\n::error::x,y:z", "50%25%0D%0A::error::x,y:z")
  equal(escape.github "%0A", "%250A")
  equal(escape.github "\xFF", "\u{FFFD}")
end)

test("a property for GitHub ends neither itself nor the properties", function()
  equal(escape.github_property "a,line=9::50%\n", "a%2Cline=9%3A%3A50%25%0A")
end)

test("a cell of Markdown is one cell of plain text", function()
  equal(escape.markdown "a | b\\|c `d`", "a &#124; b&#92;&#124;c &#96;d&#96;")
  equal(escape.markdown "<img src=x>&lt;", "&#60;img src=x&#62;&#38;lt;")
  equal(escape.markdown "[a](http://x) *b* _c_ ~d~ #1 @e $f$",
        "&#91;a&#93;&#40;http://x&#41; &#42;b&#42; &#95;c&#95; &#126;d&#126; &#35;1 &#64;e "
        .. "&#36;f&#36;")
  equal(escape.markdown "one\r\ntwo\n\27", "one<br>two<br>&#92;x1B")
end)

test("a label of Mermaid is one line of plain text", function()
  equal(escape.mermaid "a; b #59; %%{init: {}}%%",
        "a#59; b #35;59#59; #37;#37;#123;init#58; #123;#125;#125;#37;#37;")
  equal(escape.mermaid "<br/>--x $$x$$ `c` [d] e|f", "#60;br/#62;--x #36;#36;x#36;#36; #96;c#96; "
        .. "#91;d#93; e#124;f")
  equal(escape.mermaid "CN=Müller, O=A (B)-1_2.3", "CN=Müller, O=A (B)-1_2.3")
  equal(escape.mermaid "\27\n\u{FB02}\u{B0}\u{B0}60\u{B6}\u{DF}",
        "#92;x1B#92;x0A#64258;\u{B0}\u{B0}60#182;\u{DF}")
end)

test("no hostile text ends an element, an attribute, a command or a cell", function()
  for index, text in ipairs(HOSTILE) do
    local of_xml = "[\0-\8\11\12\14-\31]"
    equal(escape.xml(text):gsub("&%w+;", ""):gsub("&#13;", ""):find "[<>&\r]", nil, "xml " .. index)
    equal(escape.xml(text):find(of_xml), nil, "xml " .. index)
    equal(escape.xml_attribute(text):gsub("&%w+;", ""):gsub("&#%d+;", ""):find '[<>&"\r\n\t]', nil,
          "attribute " .. index)
    equal(escape.html(text):gsub("&#?%w+;", ""):find "[<>&\"']", nil, "html " .. index)
    equal(escape.html(text):gsub("\n", ""):find "%c", nil, "html " .. index)
    equal(escape.url_path(text):find "[^%w._~/%%-]", nil, "url " .. index)
    equal(escape.github(text):find "[\r\n]", nil, "github " .. index)
    equal(escape.github_property(text):find "[\r\n:,]", nil, "property " .. index)
    equal(escape.markdown(text):gsub("<br>", ""):find "[|<>`\\\r\n]", nil, "markdown " .. index)
    equal(is_harmless(escape.markdown(text)), true, "markdown " .. index)
    equal(escape.mermaid(text):gsub("#%d+;", ""):find "[#;%%<>&`{}\r\n]", nil, "mermaid " .. index)
    equal(is_harmless(escape.mermaid(text)), true, "mermaid " .. index)
  end
end)

test("a shell word is one word and that text", function()
  for _, text in ipairs { "a b", "it's", "$(id)", "`id`", "a;b", "*", "~", "\\", "!x", "-n", "a=b",
                          "tests/a.lua::x", "[a]", "" } do
    local pipe = assert(io.popen("printf '%s|' " .. escape.shell(text)))
    local found = pipe:read "a"
    pipe:close()
    equal(found, text .. "|")
  end
  equal(escape.shell "tests/a.lua::x", "tests/a.lua::x")
end)

test("a value for x-forwarded-client-cert is quoted where it would end too early", function()
  equal(escape.xfcc "spiffe://example.org/alice", "spiffe://example.org/alice")
  equal(escape.xfcc "spiffe://x/a;Hash=00", '"spiffe://x/a;Hash=00"')
  equal(escape.xfcc "a,By=b", '"a,By=b"')
  equal(escape.xfcc "a b", '"a b"')
  equal(escape.xfcc '"', '"\\""')
  equal(escape.xfcc 'a";Hash=00;URI="', '"a\\";Hash=00;URI=\\""')
  equal(escape.xfcc "a\r\nHost: x", '"a%0D%0AHost: x"')
  equal(escape.xfcc "a;\\", '"a;%5C"', "it would escape the quote at the end")
  equal(escape.xfcc '\\";Hash=00', '"%5C\\";Hash=00"')
  equal(escape.xfcc "caf\u{E9}\0\xFF", "caf%C3%A9%00%FF")
  equal(escape.xfcc "", "")
end)

test("a name for x-forwarded-client-cert stays the name and ends where it ends", function()
  equal(escape.xfcc_name "CN=alice,O=Ex\\, Inc.", '"CN=alice,O=Ex\\, Inc."')
  equal(escape.xfcc_name 'CN=a\\"b', '"CN=a\\22b"')
  equal(escape.xfcc_name "CN=a\\\\", '"CN=a\\5C"')
  equal(escape.xfcc_name 'CN=a\\\\\\";Hash=0', '"CN=a\\5C\\22;Hash=0"')
  equal(escape.xfcc_name "CN=a\\", '"CN=a\\5C"', "no name at all")
  equal(escape.xfcc_name "CN=\r\n\u{E9}\\\u{E9}", '"CN=\\0D\\0A\\C3\\A9\\C3\\A9"')
  equal(escape.xfcc_name "CN=\\0Dx", '"CN=\\0Dx"', "an escape by number stays")
  equal(escape.xfcc_name "", '""')
end)

unit.done()
