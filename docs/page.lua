-- SPDX-License-Identifier: BSD-2-Clause
-- Links between pages: what is name.md in the repository is name.html here.
function Link(link)
	if not link.target:match("^%a+:") then
		link.target = link.target:gsub("^docs/", ""):gsub("%.md", ".html")
	end
	return link
end
