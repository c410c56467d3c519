-- SPDX-License-Identifier: BSD-2-Clause
-- What differs between a page in the repository and in the site: where links
-- lead to, which page the navigation marks, and that what may be wider than
-- a phone scrolls by itself, by keyboard too.

-- NAME.md is NAME.html here, a port's README.md port-NAME.html; all pages
-- lie in one folder.
function Link(link)
	local target = link.target
	if target:match("^%a+:") or target:match("^#") then
		return link
	end
	target = target:gsub("^[./]*", ""):gsub("^docs/", "")
	target = target:gsub("^(%w+)/README%.md", "ports/%1/README.md")
	target = target:gsub("^ports/(%w+)/README%.md", "port-%1.html")
	target = target:gsub("^man/(.*%.%d)$", "%1.html")
	link.target = target:gsub("^([%w_-]+)%.md", function(name)
		return name:lower() .. ".html"
	end)
	return link
end

function Image(image)
	image.src = image.src:gsub("^[./]*docs/", "")
	image.attributes.loading = "lazy"
	return image
end

-- A column without a name is read out as one with a dash.
local function heads_fill(row)
	local named = false
	for _, cell in ipairs(row.cells) do
		named = named or #cell.contents > 0
	end
	for _, cell in ipairs(row.cells) do
		if named and #cell.contents == 0 then
			cell.contents = {pandoc.Plain({pandoc.Str("–")})}
		end
	end
end

function Table(table)
	for _, row in ipairs(table.head.rows) do
		heads_fill(row)
	end
	return pandoc.Div({table}, {class = "scroll", tabindex = "0",
		role = "group", ["aria-label"] = "table"})
end

function CodeBlock(block)
	block.attributes.tabindex = "0"
	return block
end

local function is_here(page, file)
	page.here = pandoc.utils.stringify(page.file) == file
	return page.here
end

-- `groups` is what docs/nav.py has read from docs/index.md.
function Meta(meta)
	local file = pandoc.utils.stringify(meta.file or "")
	for _, group in ipairs(meta.groups or {}) do
		group.open = group.first or false
		for _, page in ipairs(group.pages) do
			group.open = is_here(page, file) or group.open
		end
	end
	return meta
end
