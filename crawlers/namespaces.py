"""The namespaces that every MediaWiki has under the same number, whatever it calls them.

https://www.mediawiki.org/wiki/Help:Namespaces
"""

ARTICLES = 0
CATEGORIES = 14
