// Commands that can be copied as they are: they name this site.
const site = new URL('../', location.href).href.replace(/\/$/, '');
for (const place of document.querySelectorAll('b')) place.textContent = site;
