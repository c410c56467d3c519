# SPDX-License-Identifier: BSD-2-Clause
#
# The documentation as a site of its own: one page a file, no request to
# anywhere else.  docs/*.md, the manual, a page for each port, and what the
# repository's root says of contributing and changes.

SITE	:= $(BUILD)/site
SITE_PORTS := $(patsubst ports/%/README.md,%,$(wildcard ports/*/README.md))
# Aliases have no page.
SITE_MAN := $(shell grep -L '^\.so ' docs/man/*)
SITE_PAGES := $(patsubst docs/%.md,%,$(wildcard docs/*.md)) \
	contributing changelog
SITE_FILES := style.css search.js \
	$(patsubst docs/%,%,$(wildcard docs/*.svg docs/*/*.svg))
SITE_OUT := $(addprefix $(SITE)/,$(SITE_FILES) $(SITE_PAGES:=.html) \
	$(SITE_PORTS:%=port-%.html) $(SITE_MAN:docs/man/%=%.html))
SITE_NEEDS := docs/template.html docs/page.lua docs/docs.mk \
	$(BUILD)/docs/nav.json

# What differs: --metadata pagetitle, the format, sometimes more.
site_page = pandoc -t html5 --template docs/template.html --no-highlight \
	--metadata-file $(BUILD)/docs/nav.json --lua-filter docs/page.lua \
	--metadata file=$(@F) -V version=$(VERSION) -o $@
site_title = --metadata pagetitle="$$(sed -n 's/^\# //p;T;q' $(1))"

$(BUILD)/docs/nav.json: docs/nav.py docs/index.md docs/docs.mk \
		$(wildcard docs/*.md) $(wildcard ports/*/README.md)
	@mkdir -p $(@D)
	$(Q)docs/nav.py >$@

$(SITE)/%.html: docs/%.md $(SITE_NEEDS)
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)$(site_page) -f gfm $(call site_title,$<) \
		$(if $(filter compatibility conformance,$*),-V search=1) $<

$(SITE)/contributing.html: CONTRIBUTING.md $(SITE_NEEDS)
$(SITE)/changelog.html: CHANGELOG.md $(SITE_NEEDS)
$(SITE)/contributing.html $(SITE)/changelog.html:
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)$(site_page) -f gfm $(call site_title,$<) $<

$(SITE)/port-%.html: ports/%/README.md ports/%/recipe docs/port_page.py \
		docs/porting.md $(SITE_NEEDS)
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)docs/port_page.py $* >$(BUILD)/docs/$*.md
	$(Q)$(site_page) -f gfm $(call site_title,$<) $(BUILD)/docs/$*.md

$(SITE_MAN:docs/man/%=$(SITE)/%.html): $(SITE)/%.html: docs/man/% $(SITE_NEEDS)
	$(call say,DOC,$@)
	@mkdir -p $(@D)
	$(Q)$(site_page) -f man --shift-heading-level-by=1 \
		--metadata pagetitle=$* -V heading='$(basename $*)($(subst .,,$(suffix $*)))' $<

$(addprefix $(SITE)/,$(SITE_FILES)): $(SITE)/%: docs/%
	@mkdir -p $(@D)
	@cp $< $@

# Pages whose source is gone go too.
site: $(SITE_OUT)
	@rm -f $(filter-out $(SITE_OUT),$(wildcard $(SITE)/*.html))
.PHONY: site
