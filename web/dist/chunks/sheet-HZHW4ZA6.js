import{a}from"./chunk-B3FYAB6E.js";import"./chunk-KD6CQUTY.js";export{a as openSheet};
